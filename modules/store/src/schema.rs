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
        tax_region -> Nullable<Text>,
        cash_rounding_minor -> Nullable<BigInt>,
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
    transfers (id) {
        id -> Uuid,
        number -> BigInt,
        from_store_id -> Uuid,
        to_store_id -> Uuid,
        status -> Text,
        note -> Nullable<Text>,
        source_type -> Nullable<Text>,
        source_id -> Nullable<Uuid>,
        return_of -> Nullable<Uuid>,
        reason -> Nullable<Text>,
        version -> BigInt,
        created_by -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        requested_at -> Nullable<Timestamptz>,
        approved_at -> Nullable<Timestamptz>,
        dispatched_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    transfer_lines (transfer_id, product_id) {
        transfer_id -> Uuid,
        product_id -> Uuid,
    }
}

diesel::allow_tables_to_appear_in_same_query!(transfers, transfer_lines);

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
