//! The tables as diesel sees them; `products.search` is written and asked, never read.

diesel::table! {
    categories (id) {
        id -> Uuid,
        parent_id -> Nullable<Uuid>,
        name -> Text,
        path -> Text,
        depth -> Integer,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    products (id) {
        id -> Uuid,
        sku -> Text,
        name -> Text,
        unit -> Text,
        barcodes -> Array<Text>,
        category_id -> Nullable<Uuid>,
        price_minor -> BigInt,
        currency -> Text,
        price_per -> BigInt,
        tax_rate -> BigInt,
        cost_minor -> Nullable<BigInt>,
        template_id -> Nullable<Uuid>,
        attributes -> Jsonb,
        archived_at -> Nullable<Timestamptz>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        tax_class -> Nullable<Text>,
    }
}

diesel::table! {
    prices (id) {
        id -> Uuid,
        product_id -> Uuid,
        store_id -> Nullable<Uuid>,
        price_minor -> BigInt,
        currency -> Text,
        price_per -> BigInt,
        valid_from -> Timestamptz,
        valid_until -> Nullable<Timestamptz>,
        withdrawn_at -> Nullable<Timestamptz>,
        version -> BigInt,
        created_by -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    tax_classes (id) {
        id -> Uuid,
        code -> Text,
        name -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    tax_rates (id) {
        id -> Uuid,
        region -> Text,
        tax_class -> Text,
        rate -> BigInt,
        valid_from -> Timestamptz,
        withdrawn_at -> Nullable<Timestamptz>,
        version -> BigInt,
        created_by -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    imports (id) {
        id -> Uuid,
        actor_id -> Uuid,
        dry_run -> Bool,
        state -> Text,
        rows -> BigInt,
        created -> BigInt,
        updated -> BigInt,
        unchanged -> BigInt,
        failed -> BigInt,
        errors -> Jsonb,
        ignored_columns -> Array<Text>,
        started_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    reorder_rules (store_id, product_id) {
        store_id -> Uuid,
        product_id -> Uuid,
        id -> Uuid,
        min_quantity -> BigInt,
        max_quantity -> Nullable<BigInt>,
        multiple -> BigInt,
        lead_days -> BigInt,
        cover_days -> Nullable<BigInt>,
        source_store_id -> Nullable<Uuid>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    replenishment_requests (id) {
        id -> Uuid,
        number -> BigInt,
        store_id -> Uuid,
        status -> Text,
        note -> Nullable<Text>,
        needed_by -> Nullable<Date>,
        reason -> Nullable<Text>,
        version -> BigInt,
        created_by -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        requested_at -> Nullable<Timestamptz>,
        decided_by -> Nullable<Uuid>,
        decided_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    replenishment_lines (request_id, product_id) {
        request_id -> Uuid,
        product_id -> Uuid,
    }
}

diesel::allow_tables_to_appear_in_same_query!(replenishment_requests, replenishment_lines);
