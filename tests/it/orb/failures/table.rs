//! One thing goes wrong in a job: what runs with which code, and what is said.

use std::fs;

use hublease_sandbox::Service;

use super::{BROKER, HIDDEN, INSTALL, LOGIN, LOGOUT, NEEDS, PUSH, STEPS, hide_circleci, refuse};
use crate::orb::around::{Given, config, each, ready};
use crate::orb::machine::Image;
use crate::orb::workflow::Status;
use crate::support::World;

/// What is changed before, the steps, what runs with which code, and what one of them says.
struct Case {
    prepare: fn(&World),
    steps: &'static str,
    codes: &'static [(&'static str, i32)],
    says: (&'static str, &'static [&'static str]),
}

#[test]
fn a_failure_is_a_failure_and_nothing_is_alive_afterwards() {
    if !ready(&NEEDS) {
        return;
    }
    each(CASES, |index, case| format!("case {index}: {:?}", case.codes), Case::run);
}

impl Case {
    fn run(&self) {
        let world = World::new();
        let before = world.sandbox.live();
        let given = Given { world: &world, image: Image::Bash, prepare: &self.prepare };
        let played = given.play_one(&config(BROKER, self.steps));
        assert_eq!(played.codes(), self.codes, "{played:#?}");
        assert_eq!(played.status, Status::Failed);
        let (step, texts) = self.says;
        for text in texts {
            played.step(step).says(text);
        }
        assert_eq!(world.sandbox.live(), before, "{played:#?}");
        assert!(world.record_files().is_empty() && !world.has_login(), "{played:#?}");
    }
}

const CASES: &[Case] = &[
    Case {
        prepare: |_| {},
        steps: "- run: {name: push, command: docker push acme/app:1}",
        codes: &[(PUSH, 1)],
        says: (PUSH, &["requested access to the resource is denied"]),
    },
    Case {
        prepare: |world| refuse(world, Service::Forwarded, "/oauth/token", 403),
        steps: STEPS,
        codes: &[(INSTALL, 0), (LOGIN, 5), (LOGOUT, 0)],
        says: (LOGOUT, &["nothing to undo here\n"]),
    },
    // Where `docker/check` of another orb says that all is well.
    Case {
        prepare: |world| refuse(world, Service::RegistryAuth, "/token", 500),
        steps: STEPS,
        codes: &[(INSTALL, 0), (LOGIN, 6), (LOGOUT, 0)],
        says: (LOGIN, &["revoked and confirmed\nerror: the login to docker.io failed\n", "500 Internal Server Error"]),
    },
    Case {
        prepare: |world| refuse(world, Service::RegistryAuth, "/token", 401),
        steps: STEPS,
        codes: &[(INSTALL, 0), (LOGIN, 6), (LOGOUT, 0)],
        says: (LOGIN, &["error: "]),
    },
    Case {
        prepare: |_| {},
        steps: "
- dockerhub/login
- run: {name: push, command: exit 42}
- run: {name: more, command: 'true'}
- dockerhub/logout
",
        codes: &[(INSTALL, 0), (LOGIN, 0), (PUSH, 42), (LOGOUT, 0)],
        says: (LOGOUT, &["revoked and confirmed\n"]),
    },
    Case {
        prepare: |_| {},
        steps: "
- dockerhub/with_login:
    steps:
      - run: {name: push, command: exit 42}
",
        codes: &[(INSTALL, 0), (LOGIN, 0), (PUSH, 42), (LOGOUT, 0)],
        says: (LOGOUT, &["revoked and confirmed\n"]),
    },
    Case {
        prepare: |_| {},
        steps: "- dockerhub/exec: {command: 'docker push acme/app:1 && exit 42'}",
        codes: &[(INSTALL, 0), ("Run a command with a login to Docker Hub", 42)],
        says: ("Run a command with a login to Docker Hub", &["revoked and confirmed\n"]),
    },
    Case {
        prepare: |world| fs::remove_file(world.path("bin/docker")).unwrap(),
        steps: STEPS,
        codes: &[(INSTALL, 0), (LOGIN, 6), (LOGOUT, 0)],
        says: (LOGIN, &["error: no docker program on PATH\n", "hint: install it, or give `--client none`"]),
    },
    Case {
        prepare: hide_circleci,
        steps: STEPS,
        codes: &[(INSTALL, 0), (LOGIN, 3), (LOGOUT, 0)],
        says: (LOGIN, HIDDEN),
    },
    Case {
        prepare: |_| {},
        steps: "
- dockerhub/login: {install: false}
- dockerhub/logout
",
        codes: &[(LOGIN, 1), (LOGOUT, 0)],
        says: (LOGIN, &["error: hublease is neither in ", "hint: leave install at true"]),
    },
    Case {
        prepare: |_| {},
        steps: "
- dockerhub/login: {vault_path: dockerhub/token/acmebot/write}
- dockerhub/logout
",
        codes: &[(INSTALL, 0), (LOGIN, 2), (LOGOUT, 0)],
        says: (LOGIN, &["error: ", "hint: "]),
    },
    Case {
        prepare: |_| {},
        steps: "
- dockerhub/login: {provider: static, username: acmebot, secret_env: NOT_SET}
- dockerhub/logout
",
        codes: &[(INSTALL, 0), (LOGIN, 2), (LOGOUT, 0)],
        says: (LOGIN, &["error: this provider cannot honour `HUBLEASE_BROKER_URL`\n", "hint: "]),
    },
];
