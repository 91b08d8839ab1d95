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
