use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use arkitect::ConnectOptions;

const START_LIMIT: Duration = Duration::from_secs(60);

/// Starts the server, kills, starts and pauses it as told by lines, and at the end of them stops it and removes its directory. The
/// end comes with the end of the test process, whatever ended that.
const SUPERVISOR: &str = r#"
starts=0
start() {
  starts=$((starts + 1))
  # Into a file: a server that cannot write would not stop in good order when the test process is gone.
  : > "log-$starts"
  "$NODE" "$MAIN" >> "log-$starts" 2>&1 & pid=$!
  tail -n +1 -f --pid="$pid" "log-$starts" &
}
start
while read -r command; do
  case $command in
    kill) kill -KILL "$pid"; wait "$pid" 2> /dev/null; echo killed ;;
    start) start ;;
    pause) kill -STOP "$pid" ;;
    resume) kill -CONT "$pid" ;;
  esac
done
kill -TERM "$pid"; kill -CONT "$pid"; wait "$pid"
rm -rf "$DIRECTORY"
"#;

/// The real server on an embedded database of its own.
pub struct Server {
    _supervisor: Child,
    commands: ChildStdin,
    /// The server is shared by tests on threads of their own.
    lines: Mutex<Receiver<String>>,
    address: String,
}

/// The server of all tests that do not kill it.
pub fn shared() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(&[]))
}

impl Server {
    /// On free ports, with these settings besides.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let main = root.join("dist/main.js");
        assert!(
            main.exists(),
            "the server is not built: npm ci && npm run build in the root of the repository"
        );
        let directory = tempfile::tempdir().expect("a temporary directory").keep();
        let mut supervisor = Command::new("sh")
            .args(["-c", SUPERVISOR])
            .current_dir(&directory)
            .env_clear()
            .envs(
                ["PATH", "HOME", "TMPDIR"]
                    .iter()
                    .filter_map(|name| Some((name, std::env::var_os(name)?))),
            )
            .envs([
                ("PORT", free_port()),
                ("GRPC_PORT", free_port()),
                ("LOG_LEVEL", "warn".into()),
            ])
            .envs(settings.iter().copied())
            .env("NODE", root.join("node_modules/.bin/node"))
            .env("MAIN", &main)
            .env("DIRECTORY", &directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh");
        let commands = supervisor.stdin.take().expect("its input");
        let output = BufReader::new(supervisor.stdout.take().expect("its output"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // What it logs is a warning or worse.
                if line.starts_with('{') {
                    eprintln!("the server: {line}");
                }
                // Read to the end, also when nobody looks any more: a full pipe would stop the server.
                let _ = sender.send(line);
            }
        });
        let mut server = Self {
            _supervisor: supervisor,
            commands,
            lines: Mutex::new(lines),
            address: String::new(),
        };
        server.address = server.wait_until_ready();
        server
    }

    pub fn options(&self) -> ConnectOptions {
        ConnectOptions::new(&self.address)
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// With SIGKILL.
    pub fn kill(&mut self) {
        self.tell("kill");
        self.wait_for(|line| (line == "killed").then_some(()));
    }

    /// On the same directory and ports.
    pub fn start_again(&mut self) {
        self.tell("start");
        let address = self.wait_until_ready();
        assert_eq!(address, self.address);
    }

    /// It hears and says nothing any more, but its connections stay.
    pub fn pause(&mut self) {
        self.tell("pause");
    }

    pub fn resume(&mut self) {
        self.tell("resume");
    }

    fn tell(&mut self, command: &str) {
        writeln!(self.commands, "{command}").expect("the supervisor lives");
    }

    fn wait_until_ready(&self) -> String {
        self.wait_for(|line| Some(line.trim().strip_prefix("gRPC ")?.trim().to_owned()))
    }

    fn wait_for<T>(&self, mut wanted: impl FnMut(&str) -> Option<T>) -> T {
        let mut seen = Vec::new();
        let lines = self.lines.lock().expect("no panic of another test");
        while let Ok(line) = lines.recv_timeout(START_LIMIT) {
            if let Some(found) = wanted(&line) {
                return found;
            }
            seen.push(line);
        }
        panic!("the server did not say what was waited for, but:\n{}", seen.join("\n"));
    }
}

fn free_port() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port().to_string()
}
