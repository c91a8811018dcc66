use arkitect::{Action, Client, NewTask, TaskEvent, Watch, WatchItem, WatchTasks};

use crate::support::{client, ends, shared};

async fn next_event(watch: &mut Watch) -> TaskEvent {
    loop {
        if let WatchItem::Event(event) = watch.next().await.expect("an item").expect("no end") {
            return *event;
        }
    }
}

async fn run_one(client: &Client, name: &str) -> String {
    let id = client
        .create(NewTask::new(name, "echo").label("set", "rust-watch").auto())
        .await
        .expect("a task")
        .id;
    ends(client, &id).await;
    id
}

#[tokio::test]
async fn a_watch_goes_on_after_the_last_seq_without_a_gap() {
    let client = client(&shared().options());
    let filter = WatchTasks {
        label: vec!["set=rust-watch".into()],
        ..WatchTasks::default()
    };
    let mut watch = client.watch(filter.clone()).await.expect("a watch");
    assert_eq!(watch.last_seq(), None);
    assert!(matches!(
        watch.next().await,
        Ok(Some(WatchItem::Start { reset: false, .. }))
    ));
    assert!(watch.last_seq().is_some());

    let first = run_one(&client, "seen").await;
    let created = next_event(&mut watch).await;
    assert_eq!(
        (created.action, created.id.as_str(), created.name.as_deref()),
        (Action::Created, first.as_str(), Some("seen"))
    );
    let since = watch.last_seq();
    assert_eq!(since, Some(created.seq));
    drop(watch);

    let second = run_one(&client, "missed").await;
    let mut watch = client.watch(WatchTasks { since, ..filter }).await.expect("a watch");
    let mut missed = Vec::new();
    loop {
        let event = next_event(&mut watch).await;
        let last = event.id == second && event.action == Action::Completed;
        missed.push(event);
        if last {
            break;
        }
    }
    assert!(missed.iter().all(|event| Some(event.seq) > since));
    assert!(missed.is_sorted_by_key(|event| event.seq));
    let of = |id: &str| -> Vec<Action> {
        missed
            .iter()
            .filter(|event| event.id == id)
            .map(|event| event.action.clone())
            .collect()
    };
    assert_eq!(of(&first).last(), Some(&Action::Completed));
    assert!(!of(&first).contains(&Action::Created));
    assert_eq!(of(&second).first(), Some(&Action::Created));
}
