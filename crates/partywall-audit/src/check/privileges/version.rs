use crate::{Fault, Finding, check::Audit};

/// A hole in what keeps rows apart, and in which minor version of each major it was closed. A major that is not
/// listed never had it.
struct Hole {
    cve: &'static str,
    what: &'static str,
    closed: &'static [(i32, i32)],
}

/// Those that row-level security, roles and statistics had in the versions that are read here.
///
/// Source: <https://www.postgresql.org/support/security/>, the page of each, as of 18.4, 17.10, 16.14, 15.18,
/// 14.23 and 13.23. CVE-2016-2193 and CVE-2019-10130 were closed before PostgreSQL 13.
const HOLES: &[Hole] = &[
    Hole {
        cve: "CVE-2023-2455",
        what: "policies are those of the wrong user once a function is inlined",
        closed: &[(13, 11), (14, 8), (15, 3)],
    },
    Hole {
        cve: "CVE-2023-39418",
        what: "MERGE writes rows that the policies for UPDATE and SELECT hide",
        closed: &[(15, 4)],
    },
    Hole {
        cve: "CVE-2024-4317",
        what: "pg_stats_ext shows samples of rows that are not visible",
        closed: &[(14, 12), (15, 7), (16, 3)],
    },
    Hole {
        cve: "CVE-2024-10976",
        what: "policies below sub-queries are those of the role that the plan was made for",
        closed: &[(13, 17), (14, 14), (15, 9), (16, 5), (17, 1)],
    },
    Hole {
        cve: "CVE-2024-10978",
        what: "SET ROLE falls back to the wrong role after a rollback",
        closed: &[(13, 17), (14, 14), (15, 9), (16, 5), (17, 1)],
    },
    Hole {
        cve: "CVE-2025-8713",
        what: "statistics of hidden rows leak through operators that are not leakproof",
        closed: &[(13, 22), (14, 19), (15, 14), (16, 10), (17, 6)],
    },
];

pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let server = &audit.catalogue.server;
    let open = open(server.version);
    if !open.is_empty() {
        found.push(outdated(server.version, &open));
    } else if server.extended_statistics_leak {
        found.push(Finding::new(
            Fault::ServerCve,
            "pg_stats_ext",
            "the database was made before CVE-2024-4317 was closed, and an upgrade leaves the view as it was: `SELECT most_common_vals FROM pg_stats_ext` shows samples of every tenant's rows until fix-CVE-2024-4317.sql has run or nobody may read it",
            "REVOKE SELECT ON pg_catalog.pg_stats_ext, pg_catalog.pg_stats_ext_exprs FROM PUBLIC;",
        ));
    }
}

/// The holes that a version (as `server_version_num` says it) still has.
fn open(version: i32) -> Vec<&'static Hole> {
    let (major, minor) = (version / 10_000, version % 10_000);
    HOLES
        .iter()
        .filter(|hole| {
            hole.closed
                .iter()
                .any(|(of, closed)| *of == major && minor < *closed)
        })
        .collect()
}

fn outdated(version: i32, open: &[&Hole]) -> Finding {
    let (major, minor) = (version / 10_000, version % 10_000);
    let needed = open
        .iter()
        .flat_map(|hole| hole.closed)
        .filter(|(of, _)| *of == major)
        .map(|(_, closed)| *closed)
        .max()
        .unwrap_or(minor);
    let holes: Vec<String> = open
        .iter()
        .map(|hole| format!("{} ({})", hole.cve, hole.what))
        .collect();
    let why = format!(
        "PostgreSQL {major}.{minor} has known holes, so statements like `SELECT * FROM pg_stats_ext` or a prepared query can show rows that the policies hide: {}",
        holes.join("; ")
    );
    let fix = format!(
        "-- Upgrade the server to PostgreSQL {major}.{needed} or newer: the data stays as it is. Then this says so:\nSELECT version();"
    );
    Finding::new(
        Fault::ServerCve,
        format!("PostgreSQL {major}.{minor}"),
        why,
        fix,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cves(version: i32) -> Vec<&'static str> {
        open(version).iter().map(|hole| hole.cve).collect()
    }

    #[test]
    fn a_version_has_the_holes_that_were_closed_after_it() {
        assert_eq!(
            cves(150_002),
            [
                "CVE-2023-2455",
                "CVE-2023-39418",
                "CVE-2024-4317",
                "CVE-2024-10976",
                "CVE-2024-10978",
                "CVE-2025-8713"
            ]
        );
        assert_eq!(cves(150_003).first(), Some(&"CVE-2023-39418"));
        assert_eq!(cves(150_013), ["CVE-2025-8713"]);
        assert_eq!(cves(130_010).len(), 4);
        assert_eq!(cves(130_021), ["CVE-2025-8713"]);
        assert_eq!(cves(160_002).first(), Some(&"CVE-2024-4317"));
        assert_eq!(cves(170_000).len(), 3);
    }

    #[test]
    fn the_last_version_of_each_has_none() {
        for version in [130_022, 140_019, 150_014, 160_010, 170_006, 180_000] {
            assert!(open(version).is_empty(), "{version}");
        }
    }

    #[test]
    fn what_is_to_be_installed_closes_all_of_them() {
        for version in [130_001, 140_001, 150_001, 160_001, 170_000] {
            let finding = outdated(version, &open(version));
            let major = version / 10_000;
            let needed: i32 = finding
                .fix
                .split_once(&format!("PostgreSQL {major}."))
                .and_then(|(_, rest)| rest.split(' ').next())
                .and_then(|minor| minor.parse().ok())
                .unwrap();
            assert!(open(major * 10_000 + needed).is_empty(), "{finding:?}");
            assert!(!open(major * 10_000 + needed - 1).is_empty(), "{finding:?}");
        }
    }
}
