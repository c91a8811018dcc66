use super::{Client, Watch, task_of};
use crate::error::{Error, Result};
use crate::model::{
    Action, Attempt, Bulk, BulkOptions, CreateOptions, Created, ListTasks, NewTask, Page, PageRequest, Task, TaskEvent,
    TaskLog, TaskUpdate, TraceContext, WatchItem, WatchTasks, WorkerInfo, wire,
};
use crate::proto;

impl Client {
    /// Creates a task; it is stored when the answer comes. `VALIDATION_FAILED` names the bad fields.
    pub async fn create(&self, task: NewTask) -> Result<Task> {
        Ok(self.create_with(task, CreateOptions::default()).await?.task)
    }

    /// Creates a task once per idempotency key, or waits for its end. `IDEMPOTENCY_KEY_REUSED` for another task under the same key.
    pub async fn create_with(&self, task: NewTask, options: CreateOptions) -> Result<Created> {
        let request = proto::CreateTaskRequest {
            task: Some(task.try_into()?),
            idempotency_key: options.idempotency_key,
            wait_seconds: options.wait_seconds.map(wire),
        };
        let answer = self
            .tasks
            .clone()
            .create_task(within(options.trace, request)?)
            .await?
            .into_inner();
        Ok(Created {
            task: task_of(answer.task)?,
            replayed: answer.replayed,
        })
    }

    /// Creates up to 1,000 tasks. Good ones are created beside bad ones, unless `atomic`.
    pub async fn create_many(&self, tasks: Vec<NewTask>, options: BulkOptions) -> Result<Bulk> {
        let request = proto::CreateTasksRequest {
            tasks: tasks.into_iter().map(proto::NewTask::try_from).collect::<Result<_>>()?,
            atomic: Some(options.atomic),
            idempotency_key: options.idempotency_key,
        };
        let request = within(options.trace, request)?;
        Ok(self.tasks.clone().create_tasks(request).await?.into_inner().into())
    }

    /// One task. `NOT_FOUND` when there is none.
    pub async fn get(&self, id: &str) -> Result<Task> {
        let request = proto::GetTaskRequest { id: id.to_owned() };
        task_of(self.tasks.clone().get_task(request).await?.into_inner().task)
    }

    /// A page of tasks, newest first.
    pub async fn list(&self, query: ListTasks) -> Result<Page<Task, String>> {
        let answer = self
            .tasks
            .clone()
            .list_tasks(proto::ListTasksRequest::from(query))
            .await?
            .into_inner();
        Ok(Page::new(answer.items, answer.next_cursor))
    }

    /// Sets every editable field, absent ones to their default. `CONFLICT` after the first attempt has begun, `VERSION_MISMATCH`
    /// when `version` is given and is not the task's.
    pub async fn replace(&self, id: &str, task: NewTask, version: Option<i64>) -> Result<Task> {
        let request = proto::ReplaceTaskRequest {
            id: id.to_owned(),
            task: Some(task.try_into()?),
            version,
        };
        task_of(self.tasks.clone().replace_task(request).await?.into_inner().task)
    }

    /// Changes the given fields. `CONFLICT` after the first attempt has begun.
    pub async fn update(&self, id: &str, update: TaskUpdate) -> Result<Task> {
        let request = proto::UpdateTaskRequest {
            id: id.to_owned(),
            task: Some(update.task.try_into()?),
            version: update.version,
            remove_labels: update.remove_labels,
        };
        task_of(self.tasks.clone().update_task(request).await?.into_inner().task)
    }

    /// Deletes a task that is not running, else `CONFLICT`. `VERSION_MISMATCH` when `version` is given and is not the task's.
    pub async fn delete(&self, id: &str, version: Option<i64>) -> Result<()> {
        let request = proto::DeleteTaskRequest {
            id: id.to_owned(),
            version,
        };
        self.tasks.clone().delete_task(request).await?;
        Ok(())
    }

    /// Puts a pending task into its queue. With `wait_seconds`, 0 to 60, answers when it is finished, or as it is after that long.
    pub async fn execute(&self, id: &str, wait_seconds: Option<u32>) -> Result<Task> {
        let request = proto::ExecuteTaskRequest {
            id: id.to_owned(),
            wait_seconds: wait_seconds.map(wire),
        };
        task_of(self.tasks.clone().execute_task(request).await?.into_inner().task)
    }

    /// Ends a task that waits, and tells the worker of one that runs. `CONFLICT` when it is finished.
    pub async fn cancel(&self, id: &str) -> Result<Task> {
        let request = proto::CancelTaskRequest { id: id.to_owned() };
        task_of(self.tasks.clone().cancel_task(request).await?.into_inner().task)
    }

    /// Queues a failed or cancelled task again, with a fresh budget of attempts.
    pub async fn retry(&self, id: &str) -> Result<Task> {
        let request = proto::RetryTaskRequest { id: id.to_owned() };
        task_of(self.tasks.clone().retry_task(request).await?.into_inner().task)
    }

    /// The attempts of a task, oldest first.
    pub async fn attempts(&self, id: &str, page: PageRequest) -> Result<Page<Attempt>> {
        let PageRequest { limit, cursor } = page;
        let request = proto::ListTaskAttemptsRequest {
            id: id.to_owned(),
            limit: limit.map(wire),
            cursor,
        };
        let answer = self.tasks.clone().list_task_attempts(request).await?.into_inner();
        Ok(Page::new(answer.items, answer.next_cursor))
    }

    /// What the handler of a task logged, oldest first.
    pub async fn logs(&self, id: &str, page: PageRequest) -> Result<Page<TaskLog>> {
        let PageRequest { limit, cursor } = page;
        let request = proto::ListTaskLogsRequest {
            id: id.to_owned(),
            limit: limit.map(wire),
            cursor,
        };
        let answer = self.tasks.clone().list_task_logs(request).await?.into_inner();
        Ok(Page::new(answer.items, answer.next_cursor))
    }

    /// What happened to a task, oldest first.
    pub async fn events(&self, id: &str, page: PageRequest) -> Result<Page<TaskEvent>> {
        let PageRequest { limit, cursor } = page;
        let request = proto::ListTaskEventsRequest {
            id: id.to_owned(),
            limit: limit.map(wire),
            cursor,
        };
        let answer = self.tasks.clone().list_task_events(request).await?.into_inner();
        Ok(Page::new(answer.items, answer.next_cursor))
    }

    /// Events of all tasks that match, as they happen; with `since`, first what was missed.
    pub async fn watch(&self, filter: WatchTasks) -> Result<Watch> {
        let answer = self
            .tasks
            .clone()
            .watch_tasks(proto::WatchTasksRequest::from(filter))
            .await?;
        Ok(Watch::new(answer.into_inner()))
    }

    /// The task when it is finished: completed, failed or cancelled. Waits for as long as that takes; put it into a timeout if you
    /// have less. `NOT_FOUND` when the task does not exist or is deleted meanwhile.
    pub async fn wait(&self, id: &str) -> Result<Task> {
        let filter = WatchTasks {
            id: vec![id.to_owned()],
            ..WatchTasks::default()
        };
        let mut watch = self.watch(filter).await?;
        // The first message says that the watch has begun: nothing can happen between it and the look at the task. Of the events
        // every one could be the last, or say that the task is gone.
        while let Some(item) = watch.next().await? {
            let worth_a_look = match item {
                WatchItem::Start { .. } => true,
                WatchItem::Event(event) => {
                    event.action == Action::Deleted || event.status.is_some_and(|status| status.is_finished())
                }
            };
            if worth_a_look {
                let task = self.get(id).await?;
                if task.status.is_finished() {
                    return Ok(task);
                }
            }
        }
        self.get(id).await
    }

    /// The workers that are connected, of all replicas.
    pub async fn workers(&self) -> Result<Vec<WorkerInfo>> {
        let answer = self
            .workers
            .clone()
            .list_workers(proto::ListWorkersRequest {})
            .await?
            .into_inner();
        Ok(answer.items.into_iter().map(WorkerInfo::from).collect())
    }

    /// Gives a worker no more tasks; what it runs it may finish.
    pub async fn drain_worker(&self, id: &str) -> Result<()> {
        let request = proto::DrainWorkerRequest { id: id.to_owned() };
        self.workers.clone().drain_worker(request).await?;
        Ok(())
    }

    /// Ends a worker's stream at once; its tasks go back to their queues.
    pub async fn disconnect_worker(&self, id: &str) -> Result<()> {
        let request = proto::DisconnectWorkerRequest { id: id.to_owned() };
        self.workers.clone().disconnect_worker(request).await?;
        Ok(())
    }
}

/// The request with the trace in its metadata. `VALIDATION_FAILED` when it is no text of a header.
fn within<T>(trace: Option<TraceContext>, message: T) -> Result<tonic::Request<T>> {
    let mut request = tonic::Request::new(message);
    let Some(TraceContext {
        traceparent,
        tracestate,
    }) = trace
    else {
        return Ok(request);
    };
    for (name, value) in [("traceparent", Some(traceparent)), ("tracestate", tracestate)] {
        let Some(value) = value else { continue };
        let value = value
            .parse()
            .map_err(|_| Error::invalid(name, "must be printable ASCII"))?;
        request.metadata_mut().insert(name, value);
    }
    Ok(request)
}
