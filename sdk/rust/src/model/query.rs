use super::{Order, Priority, Status, wire};
use crate::proto;

/// What to list. All given filters must hold; of several values of one filter, one must. An empty filter lets everything pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListTasks {
    /// In one of these states, at most 20.
    pub status: Vec<Status>,
    /// Of one of these types, at most 20.
    pub task_type: Vec<String>,
    /// In one of these queues, at most 20.
    pub queue: Vec<String>,
    /// Of one of these priorities.
    pub priority: Vec<Priority>,
    /// With exactly one of these names, at most 20.
    pub name: Vec<String>,
    /// With these labels, as `key=value`; within one, commas mean OR. At most 20.
    pub label: Vec<String>,
    /// Created at this time or later, RFC 3339.
    pub created_after: Option<String>,
    /// Created before this time, RFC 3339.
    pub created_before: Option<String>,
    /// How to sort (newest first).
    pub order: Option<Order>,
    /// At most this many, 1 to 200 (50); a page of very large tasks may be shorter.
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before (from the start).
    pub cursor: Option<String>,
}

impl From<ListTasks> for proto::ListTasksRequest {
    fn from(query: ListTasks) -> Self {
        Self {
            status: words(query.status),
            r#type: query.task_type,
            queue: query.queue,
            priority: words(query.priority),
            name: query.name,
            label: query.label,
            created_after: query.created_after,
            created_before: query.created_before,
            order: query.order.map(String::from),
            limit: query.limit.map(wire),
            cursor: query.cursor,
        }
    }
}

/// Which events to watch. All given filters must hold; of several values of one filter, one must. An empty filter lets everything
/// pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchTasks {
    /// Of these tasks, at most 100.
    pub id: Vec<String>,
    /// In one of these states after the event, at most 20.
    pub status: Vec<Status>,
    /// Of one of these types, at most 20.
    pub task_type: Vec<String>,
    /// In one of these queues, at most 20.
    pub queue: Vec<String>,
    /// Of one of these priorities.
    pub priority: Vec<Priority>,
    /// With exactly one of these names, at most 20.
    pub name: Vec<String>,
    /// With these labels, as `key=value`; within one, commas mean OR. At most 20.
    pub label: Vec<String>,
    /// The last `seq` that was seen: what came after it is sent first (only what happens from now on).
    pub since: Option<i64>,
}

impl From<WatchTasks> for proto::WatchTasksRequest {
    fn from(filter: WatchTasks) -> Self {
        Self {
            id: filter.id,
            status: words(filter.status),
            r#type: filter.task_type,
            queue: filter.queue,
            priority: words(filter.priority),
            name: filter.name,
            label: filter.label,
            since: filter.since,
        }
    }
}

fn words<W: Into<String>>(words: Vec<W>) -> Vec<String> {
    words.into_iter().map(W::into).collect()
}

/// Which page of what belongs to a task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// At most this many, 1 to 200 (50).
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before (from the start).
    pub cursor: Option<i64>,
}

/// A page, and where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T, C = i64> {
    /// What is on it.
    pub items: Vec<T>,
    /// The `cursor` of the next page; `None` on the last.
    pub next_cursor: Option<C>,
}

impl<T, C> Page<T, C> {
    pub(crate) fn new<M: Into<T>>(items: Vec<M>, next_cursor: Option<C>) -> Self {
        Self {
            items: items.into_iter().map(M::into).collect(),
            next_cursor,
        }
    }
}
