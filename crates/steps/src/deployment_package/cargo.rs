//! Rust handlers: built by cargo for this machine, or by cargo-lambda or cargo-zigbuild for AWS.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use aws_sdk_lambda::types::Architecture;
use serde::Deserialize;
use serde_json::Value;
use tokio::process::Command;

use engine::step::{Context, Interrupt, Progress, StepError};

/// Lets cargo say where it puts what it builds.
const MESSAGES: &str = "--message-format=json-render-diagnostics";

/// What cargo-zigbuild calls Linux with a C library that is older than that of any runtime of Lambda.
const OLD_GLIBC_X86_64: &str = "x86_64-unknown-linux-gnu.2.17";
/// The same on ARM.
const OLD_GLIBC_ARM64: &str = "aarch64-unknown-linux-gnu.2.17";

/// How many lines of a failed build's output are shown.
const LINES_SHOWN: usize = 40;

/// Builds a binary; where it is then.
pub(super) async fn build(
    cx: &Context,
    directory: &Path,
    bin: &str,
    architecture: &Architecture,
) -> Result<PathBuf, StepError> {
    (cx.progress)(Progress::Waiting(format!("Building {bin}")));
    let cargo = Cargo { interrupt: &cx.interrupt, directory, bin, path: None };
    if cx.run.on_this_machine {
        cargo.build_for_this_machine().await
    } else {
        cargo.build_for_aws(architecture).await
    }
}

/// Cargo, at work on a binary.
struct Cargo<'a> {
    interrupt: &'a Interrupt,
    directory: &'a Path,
    bin: &'a str,
    /// Where programs are looked for, if not where this one was.
    path: Option<&'a OsStr>,
}

impl Cargo<'_> {
    async fn build_for_this_machine(&self) -> Result<PathBuf, StepError> {
        let package = Package::find(&self.metadata().await?, self.directory);
        let arguments = ["build", "--bin", self.bin, MESSAGES];
        let place = package.as_ref().map_or(self.directory, Package::place);
        let output = self.succeed(place, &arguments).await?;
        self.found(&output, package.as_ref())
    }

    /// Amazon Linux is older than most machines, so it takes a linker that can do without what is new in theirs.
    async fn build_for_aws(&self, architecture: &Architecture) -> Result<PathBuf, StepError> {
        let arm = *architecture == Architecture::Arm64;
        if self.has(&["lambda", "--version"]).await? {
            let target = self.metadata().await?.target_directory;
            let processor = if arm { "--arm64" } else { "--x86-64" };
            let format = ["--output-format", "binary", processor, "--bin", self.bin];
            let arguments = [&["lambda", "build", "--release"][..], &format].concat();
            self.succeed(self.directory, &arguments).await?;
            return Ok(target.join("lambda").join(self.bin).join("bootstrap"));
        }
        // It has no `--version` of its own.
        if self.has(&["zigbuild", "--help"]).await? {
            let package = Package::find(&self.metadata().await?, self.directory);
            let target = if arm { OLD_GLIBC_ARM64 } else { OLD_GLIBC_X86_64 };
            let arguments =
                ["zigbuild", "--release", "--target", target, "--bin", self.bin, MESSAGES];
            let output = self.succeed(self.directory, &arguments).await?;
            return self.found(&output, package.as_ref());
        }
        let rust_target = if arm { "aarch64" } else { "x86_64" };
        Err(StepError::input(
            "code",
            "building a Rust handler for AWS takes cargo-lambda or cargo-zigbuild, and neither is installed",
            format!(
                "run `pip install cargo-lambda`, or `pip install cargo-zigbuild` and `rustup target add \
                 {rust_target}-unknown-linux-gnu`; or name a ready .zip, or try it with --local, which builds for this \
                 machine"
            ),
        ))
    }

    /// What cargo knows about the packages of a directory.
    ///
    /// <https://doc.rust-lang.org/cargo/commands/cargo-metadata.html>
    async fn metadata(&self) -> Result<Metadata, StepError> {
        let arguments = ["metadata", "--format-version=1", "--no-deps"];
        let output = self.succeed(self.directory, &arguments).await?;
        serde_json::from_slice(&output.stdout).map_err(|error| {
            let message = format!("what cargo says of its packages is odd: {error}");
            StepError::failed("BuildFailed", message)
        })
    }

    /// Where a build has put the binary.
    fn found(&self, output: &Output, package: Option<&Package>) -> Result<PathBuf, StepError> {
        executable(&output.stdout, self.bin, package).ok_or_else(|| {
            let message = format!("cargo did not say where it put the binary {}", self.bin);
            StepError::failed("BuildFailed", message)
        })
    }

    /// Whether a subcommand is installed that answers to those arguments.
    async fn has(&self, arguments: &[&str]) -> Result<bool, StepError> {
        Ok(self.run(self.directory, arguments).await?.status.success())
    }

    async fn succeed(&self, place: &Path, arguments: &[&str]) -> Result<Output, StepError> {
        let output = self.run(place, arguments).await?;
        if output.status.success() {
            return Ok(output);
        }
        let text = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        Err(StepError::Failed {
            code: "BuildFailed".to_owned(),
            message: format!("the handler {} could not be built", self.bin),
            help: Some(format!("run `cargo {}` in its directory", arguments.join(" "))),
            details: lines[lines.len().saturating_sub(LINES_SHOWN)..].to_vec(),
        })
    }

    async fn run(&self, place: &Path, arguments: &[&str]) -> Result<Output, StepError> {
        let mut command = Command::new("cargo");
        command.args(arguments).current_dir(place).stdin(Stdio::null()).kill_on_drop(true);
        // Builds run the code of many: they get what they need, and none of the keys and tokens beside it.
        command.env_clear().envs(std::env::vars_os().filter(|(name, _)| is_for_builds(name)));
        if let Some(path) = self.path {
            command.env("PATH", path);
        }
        tokio::select! {
            output = command.output() => output.map_err(|error| {
                StepError::input(
                    "code",
                    format!("cargo cannot be started: {error}"),
                    "install Rust from https://rustup.rs, or name a ready .zip",
                )
            }),
            () = self.interrupt.wait() => Err(StepError::Interrupted),
        }
    }
}

/// Whether a variable of the environment is for compilers, linkers, package managers and what they call.
fn is_for_builds(name: &OsStr) -> bool {
    const NAMES: &str = "AR AS CC CPATH CPP CXX DEVELOPER_DIR HOME LANG LANGUAGE LD LIBRARY_PATH LOGNAME \
                         MACOSX_DEPLOYMENT_TARGET NM PATH RANLIB SDKROOT SHELL SOURCE_DATE_EPOCH STRIP TEMP TERM TMP \
                         TMPDIR TZ USER";
    const STARTS: [&str; 23] = [
        "AR_",
        "BINDGEN_",
        "CARGO",
        "CC_",
        "CFLAGS",
        "CMAKE",
        "CPPFLAGS",
        "CXX",
        "GIT_SSL_",
        "LC_",
        "LDFLAGS",
        "LD_LIBRARY",
        "LIBCLANG",
        "LLVM",
        "MAKEFLAGS",
        "NIX_",
        "OPENSSL_",
        "PKG_CONFIG",
        "RUST",
        "SCCACHE_DIR",
        "SSL_CERT_",
        "TARGET_",
        "ZIG",
    ];
    const ENDS: [&str; 4] = ["_TOKEN", "_SECRET", "_PASSWORD", "_KEY"];
    let Some(name) = name.to_str() else { return false };
    if matches!(
        name.to_ascii_lowercase().as_str(),
        "http_proxy" | "https_proxy" | "no_proxy" | "all_proxy"
    ) {
        return true;
    }
    NAMES.split_whitespace().any(|known| known == name)
        || (STARTS.iter().any(|start| name.starts_with(start))
            && !ENDS.iter().any(|end| name.ends_with(end)))
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Listed>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
    /// Since cargo 1.71.
    #[serde(default)]
    workspace_default_members: Vec<String>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    manifest_path: PathBuf,
}

/// The package that a directory holds.
#[derive(Debug, PartialEq)]
struct Package {
    manifest: PathBuf,
    /// The workspace's root, where it is among the packages that are built there unless others are named: what a build
    /// there has made is then used again, because the features of shared crates are the same.
    root: Option<PathBuf>,
}

impl Package {
    fn find(metadata: &Metadata, directory: &Path) -> Option<Self> {
        let manifest = directory.canonicalize().ok()?.join("Cargo.toml");
        let listed = metadata.packages.iter().find(|it| it.manifest_path == manifest)?;
        let shared = metadata.workspace_default_members.contains(&listed.id);
        Some(Self { manifest, root: shared.then(|| metadata.workspace_root.clone()) })
    }

    fn place(&self) -> &Path {
        let own = self.manifest.parent().unwrap_or(&self.manifest);
        self.root.as_deref().unwrap_or(own)
    }
}

/// Where the binary is, from cargo's messages. Another package of the workspace may have one of that name.
///
/// <https://doc.rust-lang.org/cargo/reference/external-tools.html#artifact-messages>
fn executable(messages: &[u8], bin: &str, package: Option<&Package>) -> Option<PathBuf> {
    let of_package = |message: &Value| {
        package.is_none_or(|package| {
            message["manifest_path"].as_str().map(Path::new) == Some(&package.manifest)
        })
    };
    messages
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter(|message| {
            message["reason"] == "compiler-artifact" && message["target"]["name"] == bin
        })
        .filter(of_package)
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_that_of_the_binary_asked_for() {
        let messages =
            br#"{"reason":"compiler-artifact","target":{"name":"handler"},"manifest_path":"/w/a/Cargo.toml","executable":null}
not json
{"reason":"compiler-artifact","target":{"name":"other"},"manifest_path":"/w/a/Cargo.toml","executable":"/t/other"}
{"reason":"compiler-artifact","target":{"name":"handler"},"manifest_path":"/w/a/Cargo.toml","executable":"/t/handler"}
{"reason":"compiler-artifact","target":{"name":"handler"},"manifest_path":"/w/b/Cargo.toml","executable":"/t/b"}
{"reason":"build-finished","success":true}
"#;
        let package = Package { manifest: PathBuf::from("/w/a/Cargo.toml"), root: None };
        let at = |bin, package| executable(messages, bin, package);
        assert_eq!(at("handler", Some(&package)), Some(PathBuf::from("/t/handler")));
        assert_eq!(at("handler", None), Some(PathBuf::from("/t/b")));
        assert_eq!(at("absent", Some(&package)), None);
    }

    #[test]
    fn a_default_member_is_built_where_the_workspace_is() {
        let root = tempfile::TempDir::new().expect("a directory");
        let root = root.path().canonicalize().expect("a path");
        let metadata = |default: &[&str]| Metadata {
            packages: ["one", "other"]
                .map(|name| Listed {
                    id: name.to_owned(),
                    manifest_path: root.join(name).join("Cargo.toml"),
                })
                .into(),
            target_directory: root.join("target"),
            workspace_root: root.clone(),
            workspace_default_members: default.iter().map(|&id| id.to_owned()).collect(),
        };
        let one = root.join("one");
        std::fs::create_dir(&one).expect("a directory");
        let place = |default: &[&str], directory: &Path| {
            Package::find(&metadata(default), directory).map(|it| it.place().to_owned())
        };
        assert_eq!(place(&["one"], &one), Some(root.clone()));
        assert_eq!(place(&["other"], &one), Some(one.clone()));
        assert_eq!(place(&[], &one), Some(one));
        assert_eq!(place(&["one"], &root), None);
    }

    /// A package of one binary, and programs of which cargo finds those first.
    #[cfg(unix)]
    struct Scene {
        root: tempfile::TempDir,
        path: std::ffi::OsString,
    }

    #[cfg(unix)]
    impl Scene {
        fn new(programs: &[(&str, &str)]) -> Self {
            use std::os::unix::fs::PermissionsExt;
            let root = tempfile::TempDir::new().expect("a directory");
            let write = |name: &str, text: &str| {
                let file = root.path().join(name);
                std::fs::create_dir_all(file.parent().expect("a parent")).expect("a directory");
                std::fs::write(&file, text).expect("a file");
                file
            };
            write("Cargo.toml", "[package]\nname = \"adder\"\nedition = \"2021\"\n");
            write("src/main.rs", "fn main() {}\n");
            for (name, script) in programs {
                let file = write(&format!("bin/{name}"), &format!("#!/bin/sh\n{script}"));
                std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))
                    .expect("a program");
            }
            let others = std::env::var_os("PATH").unwrap_or_default();
            let places = std::iter::once(root.path().join("bin"));
            let path = std::env::join_paths(places.chain(std::env::split_paths(&others)));
            Self { path: path.expect("a path"), root }
        }

        async fn build(&self, architecture: &Architecture) -> Result<PathBuf, StepError> {
            let interrupt = Interrupt::new(tokio::sync::watch::channel(0).1, 1);
            let (directory, path) = (self.root.path(), Some(self.path.as_os_str()));
            let cargo = Cargo { interrupt: &interrupt, directory, bin: "adder", path };
            cargo.build_for_aws(architecture).await
        }

        fn read(&self, name: &str) -> String {
            std::fs::read_to_string(self.root.path().join(name)).unwrap_or_default()
        }
    }

    #[cfg(unix)]
    const NOT_INSTALLED: &str = "exit 101\n";

    #[cfg(unix)]
    const ZIGBUILD: &str = r#"
case "$*" in *--help*) exit 0;; esac
echo "$*" >>arguments
target=$(echo "$4" | cut -d. -f1)
mkdir -p "target/$target/release"
echo built >"target/$target/release/adder"
printf '{"reason":"compiler-artifact","target":{"name":"adder"},"manifest_path":"%s/Cargo.toml","executable":"%s/target/%s/release/adder"}\n' "$(pwd -P)" "$(pwd -P)" "$target"
"#;

    #[cfg(unix)]
    #[tokio::test]
    async fn without_cargo_lambda_zig_links_for_old_linux() {
        let scene = Scene::new(&[("cargo-lambda", NOT_INSTALLED), ("cargo-zigbuild", ZIGBUILD)]);
        for (architecture, target) in
            [(Architecture::X8664, "x86_64"), (Architecture::Arm64, "aarch64")]
        {
            let built = scene.build(&architecture).await.expect("a program");
            let expected = format!("target/{target}-unknown-linux-gnu/release/adder");
            assert!(built.ends_with(&expected), "{}", built.display());
            assert_eq!(std::fs::read_to_string(&built).expect("a program"), "built\n");
            let zipped = super::super::archive::zip_bootstrap(&built, true).expect("a package");
            let archive = zip::ZipArchive::new(std::io::Cursor::new(zipped)).expect("a zip");
            let names: Vec<_> = archive.file_names().filter_map(Result::ok).collect();
            assert_eq!(names, ["bootstrap"]);
        }
        let line = |target| {
            format!(
                "zigbuild --release --target {target}-unknown-linux-gnu.2.17 --bin adder {MESSAGES}\n"
            )
        };
        assert_eq!(scene.read("arguments"), line("x86_64") + &line("aarch64"));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn cargo_lambda_comes_first() {
        let lambda = "echo \"$*\" >>arguments\n";
        let scene = Scene::new(&[("cargo-lambda", lambda), ("cargo-zigbuild", ZIGBUILD)]);
        let built = scene.build(&Architecture::Arm64).await.expect("a program");
        assert!(built.ends_with("lambda/adder/bootstrap"), "{}", built.display());
        assert_eq!(
            scene.read("arguments"),
            "lambda --version\nlambda build --release --output-format binary --arm64 --bin adder\n"
        );
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn without_either_it_is_said_what_to_install() {
        let missing = [("cargo-lambda", NOT_INSTALLED), ("cargo-zigbuild", NOT_INSTALLED)];
        let error = Scene::new(&missing).build(&Architecture::X8664).await.expect_err("neither");
        assert_eq!(
            error.to_string(),
            "building a Rust handler for AWS takes cargo-lambda or cargo-zigbuild, and neither is installed"
        );
        assert_eq!(
            error.help(),
            Some(
                "run `pip install cargo-lambda`, or `pip install cargo-zigbuild` and `rustup target add \
                 x86_64-unknown-linux-gnu`; or name a ready .zip, or try it with --local, which builds for this machine"
            )
        );
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_build_that_fails_shows_what_was_said() {
        let failing = "case \"$*\" in *--help*) exit 0;; esac\necho 'error: no zig' >&2\nexit 1\n";
        let scene = Scene::new(&[("cargo-lambda", NOT_INSTALLED), ("cargo-zigbuild", failing)]);
        let error = scene.build(&Architecture::X8664).await.expect_err("it fails");
        assert_eq!(
            (error.code(), error.details()),
            ("BuildFailed", &["error: no zig".to_owned()][..])
        );
        let help = error.help().unwrap_or_default();
        assert!(help.starts_with("run `cargo zigbuild --release --target "), "{help}");
    }

    #[test]
    fn builds_get_what_they_need_and_no_secrets() {
        for needed in [
            "PATH",
            "HOME",
            "CARGO_HOME",
            "RUSTUP_TOOLCHAIN",
            "RUSTFLAGS",
            "CC_x86_64_unknown_linux_musl",
            "https_proxy",
        ] {
            assert!(is_for_builds(OsStr::new(needed)), "{needed}");
        }
        for secret in [
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "PLAYBOOK_INPUT_PASSWORD",
            "CARGO_REGISTRY_TOKEN",
            "GITHUB_TOKEN",
            "DATABASE_URL",
        ] {
            assert!(!is_for_builds(OsStr::new(secret)), "{secret}");
        }
    }
}
