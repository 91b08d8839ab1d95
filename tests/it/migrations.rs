//! Migrations go up, down and up again with the same result; and the wall between schemas holds.

use comptoir::process::Module;
use diesel::{Connection, PgConnection, connection::SimpleConnection};
use kernel::migrate::{self, role_of};
use testkit::TestDb;

use crate::app::prepare;

/// Everything that a schema is made of, as text: columns, constraints, indexes, rights.
const DUMP: &str = "SELECT coalesce(string_agg(line, E'\\n' ORDER BY line), '') FROM ( \
    SELECT format('column %s.%s.%s %s %s %s', table_schema, table_name, column_name, data_type, is_nullable, column_default) \
        FROM information_schema.columns WHERE table_schema = '{schema}' \
    UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) \
        FROM pg_constraint WHERE connamespace = '{schema}'::regnamespace \
    UNION ALL SELECT format('index %s', indexdef) FROM pg_indexes WHERE schemaname = '{schema}' \
    UNION ALL SELECT format('rights %s %s', relname, relacl) FROM pg_class \
        WHERE relnamespace = '{schema}'::regnamespace AND relkind IN ('r', 'S', 'v') \
    UNION ALL SELECT format('function %s', proname) FROM pg_proc WHERE pronamespace = '{schema}'::regnamespace \
    UNION ALL SELECT format('type %s', typname) FROM pg_type WHERE typnamespace = '{schema}'::regnamespace AND typtype = 'e' \
    ) x(line)";

pub fn dump(db: &TestDb, module: Module) -> String {
    db.text(&DUMP.replace("{schema}", module.name()))
}

#[test]
fn up_down_and_up_again_gives_the_same_schema() {
    for module in Module::ALL {
        let db = TestDb::empty();
        let (url, migrations) = (db.url(), || module.migrations().unwrap());
        let ran = migrate::up(&url, module.name(), migrations()).unwrap();
        assert!(!ran.is_empty());
        let first = dump(&db, module);
        assert!(first.lines().count() > 20, "{first}");
        // One by one down to nothing and back, then all at once.
        for _ in &ran {
            assert_eq!(
                migrate::down(&url, module.name(), migrations(), false)
                    .unwrap()
                    .len(),
                1
            );
        }
        assert_eq!(
            migrate::down(&url, module.name(), migrations(), false).unwrap(),
            Vec::<String>::new()
        );
        let tables = format!(
            "SELECT count(*) FROM pg_class WHERE relnamespace = '{module}'::regnamespace AND relkind = 'r' \
             AND relname <> '__diesel_schema_migrations'"
        );
        assert_eq!(db.number(&tables), 0, "{module} leaves tables behind");
        migrate::up(&url, module.name(), migrations()).unwrap();
        assert_eq!(dump(&db, module), first, "{module}");
        migrate::down(&url, module.name(), migrations(), true).unwrap();
        migrate::up(&url, module.name(), migrations()).unwrap();
        assert_eq!(dump(&db, module), first, "{module}");
        let status = migrate::status(&url, module.name(), &migrations()).unwrap();
        assert!(status.iter().all(|s| s.applied) && status.len() == ran.len());
    }
}

#[test]
fn the_dump_notices_a_difference() {
    let db = TestDb::from_template(prepare);
    let before = dump(&db, Module::Store);
    db.execute("ALTER TABLE store.levels DROP CONSTRAINT IF EXISTS levels_pkey CASCADE");
    assert_ne!(dump(&db, Module::Store), before);
}

#[test]
fn migrating_at_once_from_several_processes_is_safe() {
    let db = TestDb::empty();
    let url = db.url();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| prepare(&url));
        }
    });
    assert!(dump(&db, Module::Sales).lines().count() > 20);
}

#[test]
fn a_module_s_role_reaches_no_other_schema_and_changes_no_table() {
    let db = TestDb::from_template(prepare);
    for module in Module::ALL {
        let as_role = |sql: &str| {
            let mut conn = PgConnection::establish(&db.url()).unwrap();
            conn.batch_execute(&format!(
                "SET search_path = {module}; SET ROLE {}",
                role_of(module.name())
            ))
            .unwrap();
            conn.batch_execute(sql).map_err(|e| e.to_string())
        };
        as_role("SELECT count(*) FROM outbox").expect("its own schema is open");
        for other in Module::ALL.into_iter().filter(|other| *other != module) {
            let refused = as_role(&format!("SELECT * FROM {other}.outbox")).unwrap_err();
            assert!(
                refused.contains("permission denied"),
                "{module} reads {other}: {refused}"
            );
        }
        for ddl in [
            "CREATE TABLE mine (id int)",
            "DROP TABLE outbox",
            "ALTER TABLE outbox ADD x int",
        ] {
            let refused = as_role(ddl).unwrap_err();
            assert!(
                refused.contains("permission denied") || refused.contains("must be owner"),
                "{module}: {refused}"
            );
        }
    }
}

#[test]
fn what_is_append_only_cannot_be_changed_or_deleted() {
    let db = TestDb::from_template(prepare);
    for (module, table) in [
        (Module::Store, "movements"),
        (Module::Store, "audit"),
        (Module::Store, "transfers"),
        (Module::Store, "transfer_receipts"),
        (Module::Store, "transfer_receipt_lines"),
        (Module::Auth, "audit"),
        (Module::Inventory, "audit"),
        (Module::Inventory, "prices"),
        (Module::Inventory, "tax_rates"),
        (Module::Inventory, "promotions"),
        (Module::Sales, "audit"),
        (Module::Sales, "receipts"),
        (Module::Sales, "shifts"),
        (Module::Sales, "shift_totals"),
        (Module::Sales, "cash_movements"),
        (Module::Sales, "z_reports"),
    ] {
        for verb in ["DELETE FROM", "TRUNCATE"] {
            let mut conn = PgConnection::establish(&db.url()).unwrap();
            conn.batch_execute(&format!("SET ROLE {}", role_of(module.name())))
                .unwrap();
            let refused = conn
                .batch_execute(&format!("{verb} {module}.{table}"))
                .unwrap_err()
                .to_string();
            assert!(
                refused.contains("permission denied"),
                "{verb} {module}.{table}: {refused}"
            );
        }
    }
}
