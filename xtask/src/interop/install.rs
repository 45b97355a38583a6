//! Brings the clients into `target/interop`, each at the version that `tests/interop` pins.
//!
//! Every install leaves a stamp with what it was made from, so that a second run does nothing.
//! Packages come through the registries' ordinary clients as the machine has them set up.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// Something a suite cannot run without.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// A Java compiler and runtime, Kafka's jars and our compiled Java suites.
    Java,
    /// A virtual environment with the Python clients.
    Python,
    /// Node.js with kafkajs and its codecs.
    Node,
    /// The kcat program.
    Kcat,
    /// Valgrind, which counts instructions.
    Valgrind,
}

/// Where the clients are, and how they get there.
pub struct Toolbox {
    /// `tests/interop` of this repository.
    pub sources: PathBuf,
    /// `target/interop`.
    pub home: PathBuf,
    done: Mutex<BTreeMap<Tool, Result<(), String>>>,
}

impl Toolbox {
    pub fn new(repository: &Path, home: &Path) -> Toolbox {
        Toolbox {
            sources: repository.join("tests/interop"),
            home: home.to_path_buf(),
            done: Mutex::default(),
        }
    }

    /// Makes `tool` ready to use; asks the registries at most once a run.
    pub fn provide(&self, tool: Tool) -> Result<(), String> {
        let mut done = self.done.lock().expect("no panic under this lock");
        if let Some(outcome) = done.get(&tool) {
            return outcome.clone();
        }
        let outcome = match tool {
            Tool::Java => self.java(),
            Tool::Python => self.python(),
            Tool::Node => self.node(),
            Tool::Kcat => self.kcat(),
            Tool::Valgrind => self.valgrind(),
        };
        done.insert(tool, outcome.clone());
        outcome
    }

    /// The Python of the virtual environment.
    pub fn python_program(&self) -> PathBuf {
        self.home.join("venv/bin/python3")
    }

    /// Our compiled Java suites, then Kafka's jars.
    pub fn classpath(&self) -> String {
        format!("{}:{}/*", self.home.join("classes").display(), self.home.join("jars").display())
    }

    fn java(&self) -> Result<(), String> {
        present("java", "-version")?;
        present("javac", "-version")?;
        present("mvn", "--version")?;
        let pom = self.sources.join("java/pom.xml");
        let jars = self.home.join("jars");
        self.once("jars", &read(&pom)?, || {
            let _ = fs::remove_dir_all(&jars);
            quietly(
                Command::new("mvn")
                    .args(["-q", "-B", "dependency:copy-dependencies"])
                    .arg(format!("-DoutputDirectory={}", jars.display()))
                    .arg("-f")
                    .arg(&pom),
            )
        })?;
        let mut files = files_with_extension(&self.sources.join("java"), "java")?;
        files.sort();
        let text = files.iter().map(|file| read(file)).collect::<Result<String, String>>()?;
        let classes = self.home.join("classes");
        self.once("classes", &text, || {
            let _ = fs::remove_dir_all(&classes);
            quietly(
                Command::new("javac")
                    .args(["-Xlint:-options", "-nowarn", "-d"])
                    .arg(&classes)
                    .arg("-cp")
                    .arg(format!("{}/*", jars.display()))
                    .args(&files),
            )
        })
    }

    fn python(&self) -> Result<(), String> {
        present("python3", "--version")?;
        let requirements = self.sources.join("python/requirements.txt");
        let venv = self.home.join("venv");
        self.once("venv", &read(&requirements)?, || {
            let _ = fs::remove_dir_all(&venv);
            quietly(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
            quietly(
                Command::new(venv.join("bin/python3"))
                    .args(["-m", "pip", "install", "-q", "--disable-pip-version-check", "-r"])
                    .arg(&requirements),
            )
        })
    }

    fn node(&self) -> Result<(), String> {
        present("node", "--version")?;
        present("npm", "--version")?;
        let package = self.sources.join("kafkajs/package.json");
        let text = read(&package)?;
        let place = self.home.join("node");
        self.once("node", &text, || {
            let _ = fs::remove_dir_all(&place);
            fs::create_dir_all(&place).map_err(|error| format!("create {place:?}: {error}"))?;
            fs::write(place.join("package.json"), &text)
                .map_err(|error| format!("write package.json: {error}"))?;
            quietly(
                Command::new("npm")
                    .args(["install", "--no-audit", "--no-fund", "--silent"])
                    .current_dir(&place),
            )
        })
    }

    /// Debian's packages, unpacked beside everything else instead of installed; else what is on the
    /// path.
    fn kcat(&self) -> Result<(), String> {
        let packages = ["kcat", "librdkafka1", "libyajl2", "liblz4-1", "libsasl2-2", "libzstd1"];
        self.debian("kcat", &packages).or_else(|why| {
            present("kcat", "-V").map_err(|_| format!("no kcat on the path, and {why}"))
        })
    }

    /// What is on the path; else Debian's package.
    fn valgrind(&self) -> Result<(), String> {
        let found = present("valgrind", "--version");
        found.or_else(|_| self.debian("valgrind", &["valgrind"])).map_err(|why| {
            format!("no valgrind on the path, and {why}; install it, every system has a package")
        })
    }

    /// Valgrind, once it is [provided](Self::provide).
    pub fn valgrind_command(&self) -> Command {
        let root = self.home.join("valgrind");
        let unpacked = root.join("usr/bin/valgrind");
        if !unpacked.exists() {
            return Command::new("valgrind");
        }
        let mut command = Command::new(unpacked);
        command.env("VALGRIND_LIB", root.join("usr/libexec/valgrind"));
        command
    }

    /// Packages of Debian, unpacked below a directory `name` instead of installed.
    fn debian(&self, name: &str, packages: &[&str]) -> Result<(), String> {
        let root = self.home.join(name);
        let unpacked = self.once(name, &packages.join(" "), || {
            let _ = fs::remove_dir_all(&root);
            fs::create_dir_all(&root).map_err(|error| format!("create {root:?}: {error}"))?;
            let fetch = || {
                quietly(Command::new("apt-get").arg("download").args(packages).current_dir(&root))
            };
            if fetch().is_err() {
                // A fresh machine has no package lists yet.
                quietly(Command::new("apt-get").args(["update", "-qq"]))?;
                fetch()?;
            }
            for package in files_with_extension(&root, "deb")? {
                quietly(Command::new("dpkg").arg("-x").arg(package).arg(&root))?;
            }
            Ok(())
        });
        unpacked.inspect_err(|_| _ = fs::remove_dir_all(&root))
    }

    /// Runs `install` unless it succeeded before from the same `text`.
    fn once(
        &self,
        name: &str,
        text: &str,
        install: impl FnOnce() -> Result<(), String>,
    ) -> Result<(), String> {
        let stamp = self.home.join(format!("{name}.stamp"));
        if fs::read_to_string(&stamp).is_ok_and(|old| old == text) {
            return Ok(());
        }
        eprintln!("interop: installing {name}");
        let _ = fs::remove_file(&stamp);
        install()?;
        fs::write(&stamp, text).map_err(|error| format!("write {}: {error}", stamp.display()))
    }
}

/// Says whether `program` can be started at all.
fn present(program: &str, version_flag: &str) -> Result<(), String> {
    let started = Command::new(program)
        .arg(version_flag)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match started {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program} {version_flag} ended with {status}")),
        Err(error) => Err(format!("{program} is not here: {error}")),
    }
}

/// Runs a command and keeps its output for the error message.
pub fn quietly(command: &mut Command) -> Result<(), String> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("run {shown}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let tail: Vec<&str> = text.trim().lines().rev().take(8).collect();
    let tail: Vec<&str> = tail.into_iter().rev().collect();
    Err(format!("{shown} ended with {}: {}", output.status, tail.join(" | ")))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("read {}: {error}", path.display()))
}

fn files_with_extension(directory: &Path, extension: &str) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(directory)
        .map_err(|error| format!("list {}: {error}", directory.display()))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect())
}
