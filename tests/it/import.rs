//! A chain's files, with the dirt of real tills, end up in the books to the cent; twice is once.

use std::{fs::File, io::Write, path::Path};

use comptoir::{
    client::Api,
    import::{self, ImportOptions, Report},
    process::Module,
    progress::Progress,
};
use flate2::{Compression, write::GzEncoder};

use crate::app::{ADMIN, PASSWORD, TOPOLOGIES, TestApp};

const STORES: &str = "code,baskets\n330,2\n441,1\n";
const PRODUCTS: &str = "sku,name,department,category,brand,manufacturer_id,package_size,price\n\
    1,ICE,GROCERY,FRZN ICE,National,2,22 LB,3.49\n\
    2,BREAD/ROLLS,PASTRY,BREAD,Private,69,,1.59\n\
    3,GASOLINE,FUEL,,National,1,,0.00\n";
/// Basket 12 is at 01:06, so it belongs to the day before; 13 has nothing that can be recorded.
const SALES: &str = "basket_id,store,occurred_at,customer,sku,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc\n\
    11,330,2017-01-05 11:53:26,900,1,3,10.00,0.47,0.0,0.0\n\
    11,330,2017-01-05 11:53:26,900,2,1,1.59,0.0,0.0,0.0\n\
    11,330,2017-01-05 11:53:26,900,2,0,0.0,0.0,0.0,0.0\n\
    11,330,2017-01-05 11:53:26,900,99,1,2.00,0.0,0.0,0.0\n\
    12,330,2017-01-06 01:06:00,901,3,30580,45.00,0.0,0.0,0.0\n\
    13,441,2017-01-06 10:00:00,902,1,1,0.123,0.0,0.0,0.0\n\
    14,441,2017-01-06 10:00:00,903,2,2,0.00,3.18,0.0,0.0\n";

fn write(folder: &Path) {
    let packed = |name: &str, text: &str| {
        let mut file = GzEncoder::new(
            File::create(folder.join(name)).unwrap(),
            Compression::default(),
        );
        file.write_all(text.as_bytes()).unwrap();
        file.finish().unwrap();
    };
    std::fs::write(folder.join("stores.csv"), STORES).unwrap();
    packed("products.csv.gz", PRODUCTS);
    packed("sales.csv.gz", SALES);
}

async fn import(address: &str, folder: &Path) -> Report {
    let api = Api::login(address.parse().unwrap(), ADMIN, PASSWORD)
        .await
        .unwrap();
    import::run(
        &api,
        &ImportOptions::new(folder.to_owned()),
        &Progress::silent(),
    )
    .await
    .unwrap()
}

#[actix_web::test]
async fn dirty_files_are_imported_to_the_cent_and_only_once() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let folder = testkit::scratch("import");
        write(&folder);
        let front = crate::front::open(&app);

        let report = import(&front, &folder).await;
        assert!(report.agrees());
        let lines: Vec<u64> = report.rejected.rows.iter().map(|row| row.line).collect();
        assert_eq!(
            lines,
            [4, 5, 7],
            "quantity 0, unknown SKU, and not whole cents"
        );
        assert_eq!(
            report.rejected.baskets.len(),
            1,
            "basket 13 has no good row"
        );

        let db = app.db(Module::Sales);
        let sales = "SELECT string_agg(concat_ws(' ', business_date, total_minor, state), ', ' ORDER BY occurred_at) FROM sales.sales";
        let booked = db.text(sales);
        assert_eq!(
            booked,
            "2017-01-05 1159 recorded, 2017-01-05 4500 recorded, 2017-01-06 0 recorded"
        );
        let again = import(&front, &folder).await;
        assert!(again.agrees());
        assert_eq!(db.text(sales), booked);
        app.assert_invariants().await;

        // A sale on the wrong day is noticed.
        db.execute(
            "UPDATE sales.sales SET business_date = business_date + 1 WHERE total_minor = 1159",
        );
        assert!(!import(&front, &folder).await.agrees());
    }
}
