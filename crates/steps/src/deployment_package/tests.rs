use std::fs;
use std::io::{Cursor, Read};

use serde_json::json;
use tempfile::TempDir;

use super::fault::PackageFault;
use super::*;

/// A playbook's directory with some files in it, beside a directory that is out of bounds.
struct Scene {
    outer: TempDir,
}

impl Scene {
    fn new(files: &[(&str, &str)]) -> Self {
        let scene = Self { outer: TempDir::new().expect("a directory") };
        fs::create_dir(scene.root()).expect("the root");
        fs::create_dir(scene.outer.path().join("elsewhere")).expect("a directory");
        fs::write(scene.outer.path().join("elsewhere/secret"), "secret").expect("a file");
        for (name, text) in files {
            scene.write(name, text);
        }
        scene
    }

    fn root(&self) -> PathBuf {
        self.outer.path().join("project")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    fn zip(&self, path: &str) -> Result<Vec<u8>, PackageFault> {
        zip_path(path, &Bounds::new(&self.root(), &self.root())?)
    }

    fn zip_from(&self, directory: &str, path: &str) -> Result<Vec<u8>, PackageFault> {
        zip_path(path, &Bounds::new(&self.root().join(directory), &self.root())?)
    }
}

fn entries(bytes: &[u8]) -> Vec<(String, u32, String)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("a zip");
    (0..archive.len())
        .map(|index| {
            let mut entry = archive.by_index(index).expect("an entry");
            let name = entry.name().expect("a name").into_owned();
            let mode = entry.unix_mode().unwrap_or_default() & 0o777;
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("text");
            (name, mode, text)
        })
        .collect()
}

fn names(bytes: &[u8]) -> Vec<String> {
    entries(bytes).into_iter().map(|(name, ..)| name).collect()
}

#[test]
fn a_file_stands_at_the_root_of_the_package() {
    let scene = Scene::new(&[("handlers/adder.py", "def add(): pass")]);
    let package = scene.zip("handlers/adder.py").expect("a package");
    assert_eq!(entries(&package), [("adder.py".to_owned(), 0o644, "def add(): pass".to_owned())]);
}

#[test]
fn a_directory_is_packaged_in_order_and_without_litter() {
    let scene = Scene::new(&[
        ("code/b.py", "b"),
        ("code/b/c.py", "c"),
        ("code/a.py", "a"),
        ("code/.hidden", "h"),
        ("code/node_modules/m.js", "m"),
        ("code/__pycache__/a.pyc", "x"),
        ("code/old.pyc", "x"),
        ("code/.git/HEAD", "x"),
        ("code/.DS_Store", "x"),
    ]);
    let package = scene.zip("code").expect("a package");
    assert_eq!(names(&package), [".hidden", "a.py", "b.py", "b/c.py", "node_modules/m.js"]);
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let files = [("code/a.py", "a"), ("code/b/c.py", "c")];
    let (one, other) = (Scene::new(&files), Scene::new(&files));
    let earlier = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let file =
        fs::File::options().append(true).open(other.root().join("code/a.py")).expect("a file");
    file.set_modified(earlier).expect("a time");
    assert_eq!(one.zip("code"), other.zip("code"));
    other.write("code/a.py", "A");
    assert_ne!(one.zip("code"), other.zip("code"));
}

#[cfg(unix)]
#[test]
fn what_may_be_executed_still_may() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new(&[("code/bootstrap", "#!/bin/sh"), ("code/data", "d")]);
    let program = scene.root().join("code/bootstrap");
    fs::set_permissions(program, fs::Permissions::from_mode(0o700)).expect("a mode");
    let package = scene.zip("code").expect("a package");
    let modes: Vec<_> = entries(&package).into_iter().map(|(_, mode, _)| mode).collect();
    assert_eq!(modes, [0o755, 0o644]);
}

#[test]
fn a_ready_zip_is_taken_as_it_is() {
    let scene = Scene::new(&[("a.py", "a")]);
    let made = scene.zip("a.py").expect("a package");
    fs::write(scene.root().join("ready.ZIP"), &made).expect("a file");
    assert_eq!(scene.zip("ready.ZIP"), Ok(made));
    scene.write("broken.zip", "PK, but no zip");
    assert!(matches!(scene.zip("broken.zip"), Err(PackageFault::NotAZip { .. })));
}

#[test]
fn nothing_from_outside_the_root_is_packaged() {
    let scene = Scene::new(&[("deep/playbook.yaml", ""), ("a.py", "a")]);
    assert_eq!(names(&scene.zip_from("deep", "../a.py").expect("a package")), ["a.py"]);
    let outside = |path: &str| Err(PackageFault::Outside { path: path.to_owned() });
    assert_eq!(scene.zip("../elsewhere/secret"), outside("../elsewhere/secret"));
    assert_eq!(scene.zip(".."), outside(".."));
    let absolute = scene.outer.path().join("elsewhere").display().to_string();
    assert_eq!(scene.zip(&absolute), outside(&absolute));
}

#[cfg(unix)]
#[test]
fn links_may_not_lead_out_or_round_in_circles() {
    use std::os::unix::fs::symlink;
    let scene = Scene::new(&[("code/a.py", "a"), ("shared/s.py", "s")]);
    let code = scene.root().join("code");
    symlink("../shared", code.join("lib")).expect("a link");
    symlink("../shared/s.py", code.join("t.py")).expect("a link");
    assert_eq!(names(&scene.zip("code").expect("a package")), ["a.py", "lib/s.py", "t.py"]);

    symlink("../../elsewhere/secret", code.join("leak")).expect("a link");
    assert_eq!(scene.zip("code"), Err(PackageFault::Outside { path: "code/leak".to_owned() }));
    fs::remove_file(code.join("leak")).expect("removed");

    symlink("../../elsewhere", code.join("leaks")).expect("a link");
    assert_eq!(scene.zip("code/"), Err(PackageFault::Outside { path: "code/leaks".to_owned() }));
    assert_eq!(
        scene.zip("code/leaks/secret"),
        Err(PackageFault::Outside { path: "code/leaks/secret".to_owned() })
    );
    fs::remove_file(code.join("leaks")).expect("removed");

    symlink(".", code.join("self")).expect("a link");
    assert_eq!(scene.zip("code"), Err(PackageFault::Loop { path: "code/self".to_owned() }));
    fs::remove_file(code.join("self")).expect("removed");

    symlink("nowhere", code.join("dangling")).expect("a link");
    assert_eq!(scene.zip("code"), Err(PackageFault::Missing { path: "code/dangling".to_owned() }));
}

#[test]
fn what_is_missing_or_empty_is_said() {
    let scene = Scene::new(&[("code/__pycache__/a.pyc", "x")]);
    assert_eq!(scene.zip("code"), Err(PackageFault::Empty { path: "code".to_owned() }));
    assert_eq!(scene.zip("adder.py"), Err(PackageFault::Missing { path: "adder.py".to_owned() }));
    assert_eq!(scene.zip(" "), Err(PackageFault::NoPath));
}

#[test]
fn lambda_s_limits_are_checked_first() {
    let scene = Scene::new(&[("code/a.py", "a")]);
    let sparse = |name: &str, length: u64| {
        let file = fs::File::create(scene.root().join(name)).expect("a file");
        file.set_len(length).expect("a length");
    };
    sparse("code/large", LARGEST_UNZIPPED + 1);
    assert_eq!(scene.zip("code"), Err(PackageFault::TooLargeUnzipped { path: "code".to_owned() }));
    sparse("large.bin", LARGEST_UNZIPPED + 1);
    let fault = PackageFault::TooLargeUnzipped { path: "large.bin".to_owned() };
    assert_eq!(
        fault.to_string(),
        "`large.bin` is larger than the 262,144,000 bytes that Lambda takes unzipped"
    );
    assert_eq!(scene.zip("large.bin"), Err(fault));
}

#[test]
fn code_is_a_path_or_a_cargo_binary() {
    let read = serde_json::from_value::<Code>;
    assert_eq!(read(json!("a.py")).expect("code"), Code::Path("a.py".to_owned()));
    let binary = CargoBinary { cargo: "handlers".to_owned(), bin: "adder".to_owned() };
    assert_eq!(
        read(json!({"cargo": "handlers", "bin": "adder"})).expect("code"),
        Code::Cargo(binary.clone())
    );
    for wrong in [
        json!(7),
        json!({"cargo": "handlers"}),
        json!({"cargo": "h", "bin": "b", "x": 1}),
        json!(["a"]),
    ] {
        let error = read(wrong).expect_err("refused").to_string();
        assert!(error.contains("the path of a file, a directory or a .zip"), "{error}");
    }
    assert_eq!(binary.stand_in(), "⟨zip of cargo handlers, bin adder⟩");
}

#[test]
fn names_of_the_platform_decide_the_default_architecture() {
    assert_eq!(default_architecture(false), Architecture::X8664);
    let here =
        if cfg!(target_arch = "aarch64") { Architecture::Arm64 } else { Architecture::X8664 };
    assert_eq!(default_architecture(true), here);
    assert!(Code::Cargo(CargoBinary { cargo: ".".into(), bin: "b".into() }).is_built());
    assert!(!Code::Path("a.py".to_owned()).is_built());
}
