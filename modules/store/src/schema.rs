//! The tables that the query builder reads; the search path finds their schema.

diesel::table! {
    stores (id) {
        id -> Uuid,
        code -> Text,
        name -> Text,
        kind -> Text,
        address -> Nullable<Text>,
        timezone -> Text,
        day_cutoff -> Time,
        currency -> Text,
        tax_mode -> Text,
        negative_stock -> Text,
        return_limit_minor -> Nullable<BigInt>,
        receipt_text -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        archived_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    registers (store_id, id) {
        store_id -> Uuid,
        id -> Uuid,
        code -> Text,
        name -> Text,
        created_at -> Timestamptz,
        archived_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    levels (store_id, product_id) {
        store_id -> Uuid,
        product_id -> Uuid,
        on_hand -> BigInt,
        reserved -> BigInt,
        damaged -> BigInt,
        incoming -> BigInt,
        may_go_negative -> Bool,
        version -> BigInt,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    holds (hold_id) {
        hold_id -> Uuid,
        store_id -> Uuid,
        request_hash -> Binary,
        state -> Text,
        created_at -> Timestamptz,
        resolved_at -> Nullable<Timestamptz>,
    }
}
