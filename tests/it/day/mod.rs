//! A working day of a small chain, step by step, as `docs/a-day.md` tells it; at its end stock, cash
//! and revenue are what somebody has who wrote everything down with a pencil.

mod books;
mod chain;
mod drawers;
mod goods;
mod shelves;
mod tills;

use serde_json::json;

use self::chain::{
    Day,
    Good::{Bread, Cheese, Soap, Umbrella, Wine},
    Shop::{Bastille, CroixRousse, Warehouse},
    Till::{One, Three, Two},
};
use self::tills::Sold;
use crate::app::{TOPOLOGIES, TestApp};

#[actix_web::test]
async fn at_the_end_of_the_day_stock_cash_and_revenue_agree_to_the_unit_and_the_cent() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let mut day = Day::begin(&app).await;
        opening(&mut day).await;
        a_dated_price_and_a_promotion(&mut day).await;
        deliveries(&mut day).await;
        sales_on_three_tills(&mut day).await;
        an_offline_hour(&mut day).await;
        a_count_while_selling(&mut day).await;
        a_transfer_with_two_broken_boxes(&mut day).await;
        returns(&mut day).await;
        replenishment(&mut day).await;
        closing(&mut day).await;
        day.agrees().await;
        app.assert_invariants().await;
    }
}

/// Each cashier counts what is in the drawer.
async fn opening(day: &mut Day<'_>) {
    day.opens(One, 10_000).await;
    day.opens(Two, 8_000).await;
    day.opens(Three, 12_000).await;
}

/// Soap is 3.00 at Croix-Rousse this week, and 3.50 everywhere else; at Bastille a fifth is taken off
/// the cheese.
async fn a_dated_price_and_a_promotion(day: &mut Day<'_>) {
    day.prices(CroixRousse, Soap, 300).await;
    day.promotes(Bastille, Cheese, 2_000).await;
}

async fn deliveries(day: &mut Day<'_>) {
    day.delivered(Warehouse, &[(Wine, 120), (Soap, 200), (Umbrella, 40)])
        .await;
    day.delivered(Bastille, &[(Bread, 60), (Wine, 6), (Cheese, 5_000)])
        .await;
    day.delivered(CroixRousse, &[(Bread, 40), (Soap, 12), (Umbrella, 3)])
        .await;
}

async fn sales_on_three_tills(day: &mut Day<'_>) {
    // 2 × 2.40 + 8.90, out of a note of 20.
    day.sold(One, &[(Bread, 2), (Wine, 1)], &[("cash", 2_000)], 1_370)
        .await;
    // 350 g at 18.90 a kilogram are 6.615, less 1.32.
    day.sold(One, &[(Cheese, 350)], &[("card", 530)], 530).await;
    day.sold(Two, &[(Bread, 1)], &[("cash", 240)], 240).await;
    day.sold(
        Two,
        &[(Wine, 2), (Cheese, 200)],
        &[("voucher", 1_000), ("cash", 1_200)],
        2_082,
    )
    .await;
    day.sold(Three, &[(Soap, 3), (Bread, 4)], &[("cash", 5_000)], 1_860)
        .await;
    day.sold(Three, &[(Umbrella, 1)], &[("card", 1_200)], 1_200)
        .await;
    // A mistake, seen at once.
    let wrong = day
        .sold(Two, &[(Bread, 10)], &[("cash", 2_400)], 2_400)
        .await;
    day.voided(&wrong).await;
    // There are three bottles on the shelf and no more.
    day.cannot_sell(One, &[(Wine, 4)], 3_560).await;
}

/// It rains, and the network is down: three umbrellas are sold where the books have two. The till
/// sends what it sold twice; each sale is there once, and one umbrella is to be explained.
async fn an_offline_hour(day: &mut Day<'_>) {
    let sold: [Sold<'_>; 2] = [
        (&[(Umbrella, 2)], &[("card", 2_400)], 2_400),
        (&[(Umbrella, 1), (Bread, 1)], &[("cash", 1_500)], 1_440),
    ];
    day.sold_offline(Three, &sold).await;
    day.explains(CroixRousse, Umbrella, 1, "delivered_late")
        .await;
    let transfer = day.sends(Warehouse, CroixRousse, &[(Umbrella, 5)]).await;
    day.receives(transfer, CroixRousse, (Umbrella, [5, 0, 0]))
        .await;
}

/// The books have 57 loaves. 30 are found on the shelf; two of these are sold; 25 are found behind.
/// So two are missing, and not four.
async fn a_count_while_selling(day: &mut Day<'_>) {
    day.stock_agrees().await;
    let count = day.opens_count(Bastille, Bread).await;
    day.finds(count, Bread, 30, 57).await;
    day.sold(Two, &[(Bread, 2)], &[("cash", 480)], 480).await;
    day.finds(count, Bread, 25, 57).await;
    day.posts(count, Bastille, Bread, -2).await;
}

async fn a_transfer_with_two_broken_boxes(day: &mut Day<'_>) {
    // Of 24 bottles asked for 24 are sent; 20 arrive, two are broken, and two come in the evening.
    let transfer = day.sends(Warehouse, Bastille, &[(Wine, 24)]).await;
    day.receives(transfer, Bastille, (Wine, [20, 2, 0])).await;
    day.sold(One, &[(Wine, 5)], &[("card", 4_450)], 4_450).await;
    day.receives(transfer, Bastille, (Wine, [2, 0, 0])).await;
}

async fn returns(day: &mut Day<'_>) {
    let bought = day
        .sold(One, &[(Bread, 3), (Wine, 2)], &[("cash", 2_500)], 2_500)
        .await;
    day.brought_back(One, &bought, (2, 1, "damaged"), 890).await;
    day.brought_back(One, &bought, (1, 2, "restock"), 480).await;
    // Bought at Bastille, brought back at Croix-Rousse.
    day.brought_back(Three, &bought, (2, 1, "restock"), 890)
        .await;
    // An umbrella for two soaps: 12.00 less 6.00 go back.
    let umbrella = day
        .sold(Three, &[(Umbrella, 1)], &[("card", 1_200)], 1_200)
        .await;
    day.exchanged(Three, &umbrella, (Soap, 2), [1_200, 600])
        .await;
}

/// Seven soaps are left where ten are the least and 24 the most: three boxes of six are wanted.
async fn replenishment(day: &mut Day<'_>) {
    let rule = json!({"min": 10, "max": 24, "multiple": 6, "source_store_id": day.shop(Warehouse)});
    day.rules(CroixRousse, Soap, &rule).await;
    let transfer = day.accepts(CroixRousse, (Soap, 18), Warehouse).await;
    day.dispatches(transfer, Warehouse, &[(Soap, 18)]).await;
    day.receives(transfer, CroixRousse, (Soap, [18, 0, 0]))
        .await;
}

async fn closing(day: &mut Day<'_>) {
    day.brings_change(Two, 2_000).await;
    day.takes_to_the_bank(One, 5_000).await;
    day.closes(One, 0).await;
    // Twenty cents are missing.
    day.closes(Two, -20).await;
    day.closes(Three, 0).await;
    day.day_closes(Bastille, &[One, Two], -20).await;
    day.day_closes(CroixRousse, &[Three], 0).await;
}
