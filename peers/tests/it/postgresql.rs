//! The database server by itself: what the leases of OpenBao's `database` engine stand on.

use hublease_peers::postgresql::PostgreSql;

#[test]
fn it_comes_goes_and_comes_back_with_what_it_held() {
    let server = PostgreSql::start("of the test");
    let (name, password) = server.administrator();
    assert_eq!(server.query(name, password, "CREATE ROLE \"v-one\"").as_deref(), Ok("CREATE ROLE"));
    assert!(server.query(name, "another", "SELECT 1").unwrap_err().contains("password authentication failed"));
    server.stop();
    let (name, password) = server.administrator();
    assert!(server.query(name, password, "SELECT 1").unwrap_err().contains("Connection refused"));
    server.start_again();
    assert_eq!(server.made_roles(), ["v-one"]);
}
