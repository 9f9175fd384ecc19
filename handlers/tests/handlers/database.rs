//! A MariaDB server of the machine's own, with TLS, and a user whose password travels in clear text as a token does at RDS.

use std::fs;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Its `cleartext_plugin_server` asks the client for the password in clear text, as RDS's `AWSAuthenticationPlugin` does.
const PLUGIN: &str = "auth_test_plugin";
const PLUGIN_DIRECTORIES: [&str; 3] =
    ["/usr/lib/mysql/plugin", "/usr/lib64/mysql/plugin", "/usr/lib64/mariadb/plugin"];

/// The server. It ends with its value, and its files go with it.
pub struct MariaDb {
    directory: PathBuf,
    port: u16,
    child: Child,
}

impl MariaDb {
    /// A server on a free port, with a database `playbook` and a user `lambda` whose password is made for that port. Where
    /// something for it is not installed, what that is.
    pub fn start(password: impl FnOnce(u16) -> String) -> Result<Self, String> {
        for (program, package) in [
            ("mariadbd", "mariadb-server"),
            ("mariadb-install-db", "mariadb-server"),
            ("openssl", "openssl"),
        ] {
            if !installed(program) {
                return Err(format!("there is no {program} (Debian's package {package})"));
            }
        }
        let mut plugins = PLUGIN_DIRECTORIES.map(Path::new).into_iter();
        let holds_it = |path: &&Path| path.join(PLUGIN).with_extension("so").exists();
        let Some(plugins) = plugins.find(holds_it) else {
            return Err(format!("there is no {PLUGIN}.so (Debian's package mariadb-test)"));
        };

        // A socket's path must be short.
        let directory =
            std::env::temp_dir().join(format!("playbook-mariadb-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        certificates(&directory);
        let owner = owner(&directory);
        run(Command::new("mariadb-install-db")
            .args(["--no-defaults", "--auth-root-authentication-method=normal"])
            .args(["--skip-test-db", "--skip-name-resolve"])
            .arg(format!("--datadir={}", directory.join("data").display()))
            .args(&owner));

        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let statements = format!(
            "INSTALL PLUGIN cleartext_plugin_server SONAME '{PLUGIN}';\n\
             CREATE DATABASE playbook;\n\
             CREATE USER 'lambda'@'%' IDENTIFIED VIA cleartext_plugin_server AS '{}' REQUIRE SSL;\n\
             GRANT SELECT ON playbook.* TO 'lambda'@'%';\n",
            password(port)
        );
        fs::write(directory.join("init.sql"), statements).unwrap();
        let within = |name| directory.join(name).display().to_string();
        let child = Command::new("mariadbd")
            .args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve"])
            .args(["--plugin-maturity=unknown", "--innodb-buffer-pool-size=8M"])
            .args(&owner)
            .arg(format!("--port={port}"))
            .arg(format!("--plugin-dir={}", plugins.display()))
            .arg(format!("--datadir={}", within("data")))
            .arg(format!("--socket={}", within("socket")))
            .arg(format!("--pid-file={}", within("pid")))
            .arg(format!("--init-file={}", within("init.sql")))
            .arg(format!("--ssl-cert={}", within("server.pem")))
            .arg(format!("--ssl-key={}", within("server.key")))
            .arg(format!("--log-error={}", within("log")))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self { directory, port, child };
        server.wait();
        Ok(server)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate that the server's is signed with; the server's is for 127.0.0.1 alone.
    pub fn ca_bundle(&self) -> String {
        self.directory.join("ca.pem").display().to_string()
    }

    fn wait(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.greets() {
            let log = || fs::read_to_string(self.directory.join("log")).unwrap_or_default();
            assert!(self.child.try_wait().unwrap().is_none(), "the server ended: {}", log());
            assert!(Instant::now() < deadline, "the server does not start: {}", log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn greets(&self) -> bool {
        let stream = TcpStream::connect(("127.0.0.1", self.port));
        stream.is_ok_and(|mut stream| stream.read_exact(&mut [0]).is_ok())
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn installed(program: &str) -> bool {
    let mut asked = Command::new(program);
    asked.arg("--help").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().is_ok()
}

/// The server does not run as root unless it is told to.
fn owner(directory: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    (fs::metadata(directory).unwrap().uid() == 0).then(|| "--user=root".to_owned())
}

fn certificates(directory: &Path) {
    let openssl = |arguments: &str| {
        run(Command::new("openssl").args(arguments.split(' ')).current_dir(directory));
    };
    fs::write(
        directory.join("server.ext"),
        "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n",
    )
    .unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=ca"));
    openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=server"));
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile server.ext",
    );
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
