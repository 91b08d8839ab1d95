//! The tables, as `diesel` sees them: names unqualified, because the connection's `search_path`
//! is the module's own schema.
//!
//! Columns of `sales` that are NULL in a tombstone stand here as NOT NULL: every typed read
//! leaves tombstones out, and the constraint `sales_complete` vouches for the rest.

diesel::table! {
    sales (id) {
        id -> Uuid,
        store_id -> Uuid,
        state -> Text,
        recorded_at -> Timestamptz,
        event_seq -> BigInt,
        register_id -> Nullable<Uuid>,
        cashier_id -> Uuid,
        number -> Text,
        request_hash -> Binary,
        occurred_at -> Timestamptz,
        business_date -> Date,
        currency -> Text,
        tax_included -> Bool,
        line_count -> Integer,
        subtotal_minor -> BigInt,
        discount_minor -> BigInt,
        tax_minor -> BigInt,
        total_minor -> BigInt,
        paid_minor -> BigInt,
        change_minor -> BigInt,
        customer_ref -> Nullable<Text>,
        refunded_minor -> BigInt,
        return_count -> Integer,
        voided_at -> Nullable<Timestamptz>,
        voided_by -> Nullable<Uuid>,
        void_reason -> Nullable<Text>,
        void_id -> Nullable<Uuid>,
        void_hash -> Nullable<Binary>,
        rounding_minor -> BigInt,
        offline -> Bool,
    }
}

diesel::table! {
    sale_lines (sale_id, line) {
        sale_id -> Uuid,
        line -> Integer,
        store_id -> Uuid,
        product_id -> Uuid,
        sku -> Text,
        name -> Text,
        category_id -> Nullable<Uuid>,
        quantity -> BigInt,
        list_price_minor -> BigInt,
        unit_price_minor -> BigInt,
        price_per -> BigInt,
        gross_minor -> BigInt,
        discount_minor -> BigInt,
        tax_rate -> BigInt,
        tax_minor -> BigInt,
        total_minor -> BigInt,
        cost_minor -> Nullable<BigInt>,
        note -> Nullable<Text>,
        returned_quantity -> BigInt,
        refunded_minor -> BigInt,
        promotion_id -> Nullable<Uuid>,
        promotion_name -> Nullable<Text>,
        promotion_discount_minor -> BigInt,
    }
}

diesel::table! {
    payments (sale_id, n) {
        sale_id -> Uuid,
        n -> Integer,
        store_id -> Uuid,
        tender -> Text,
        amount_minor -> BigInt,
        reference -> Nullable<Text>,
    }
}

diesel::table! {
    returns (id) {
        id -> Uuid,
        sale_id -> Nullable<Uuid>,
        sale_store_id -> Nullable<Uuid>,
        store_id -> Uuid,
        register_id -> Nullable<Uuid>,
        cashier_id -> Uuid,
        number -> Text,
        request_hash -> Binary,
        occurred_at -> Timestamptz,
        business_date -> Date,
        currency -> Text,
        reason -> Text,
        note -> Nullable<Text>,
        line_count -> Integer,
        refund_minor -> BigInt,
        exchange_sale_id -> Nullable<Uuid>,
        rounding_minor -> BigInt,
    }
}

diesel::table! {
    return_lines (return_id, n) {
        return_id -> Uuid,
        n -> Integer,
        sale_id -> Nullable<Uuid>,
        line -> Nullable<Integer>,
        store_id -> Uuid,
        product_id -> Uuid,
        sku -> Text,
        name -> Text,
        category_id -> Nullable<Uuid>,
        quantity -> BigInt,
        disposition -> Text,
        refund_minor -> BigInt,
        tax_rate -> BigInt,
        tax_minor -> BigInt,
        cost_minor -> Nullable<BigInt>,
    }
}

diesel::table! {
    refunds (return_id, n) {
        return_id -> Uuid,
        n -> Integer,
        store_id -> Uuid,
        tender -> Text,
        amount_minor -> BigInt,
    }
}

diesel::table! {
    parked_sales (id) {
        id -> Uuid,
        store_id -> Uuid,
        register_id -> Nullable<Uuid>,
        state -> Text,
        label -> Nullable<Text>,
        basket -> Jsonb,
        line_count -> Integer,
        request_hash -> Binary,
        parked_by -> Uuid,
        parked_at -> Timestamptz,
        expires_at -> Timestamptz,
        ended_by -> Nullable<Uuid>,
        ended_at -> Nullable<Timestamptz>,
        end_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    receipts (store_id, register_id, number) {
        store_id -> Uuid,
        register_id -> Uuid,
        number -> BigInt,
        kind -> Text,
        document_id -> Uuid,
        shift_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    shifts (id) {
        id -> Uuid,
        store_id -> Uuid,
        register_id -> Uuid,
        register_code -> Text,
        cashier_id -> Uuid,
        state -> Text,
        currency -> Text,
        business_date -> Date,
        opened_at -> Timestamptz,
        float_minor -> BigInt,
        first_receipt -> BigInt,
        cash_in_minor -> BigInt,
        cash_out_minor -> BigInt,
        cash_count -> Integer,
        closed_at -> Nullable<Timestamptz>,
        closed_by -> Nullable<Uuid>,
        last_receipt -> Nullable<BigInt>,
        z_number -> Nullable<BigInt>,
        expected_minor -> Nullable<BigInt>,
        counted_minor -> Nullable<BigInt>,
    }
}

diesel::table! {
    shift_totals (store_id, shift_id, kind, item) {
        store_id -> Uuid,
        shift_id -> Uuid,
        kind -> Text,
        item -> Text,
        sold_count -> BigInt,
        sold_minor -> BigInt,
        sold_tax_minor -> BigInt,
        voided_count -> BigInt,
        voided_minor -> BigInt,
        voided_tax_minor -> BigInt,
        returned_count -> BigInt,
        returned_minor -> BigInt,
        returned_tax_minor -> BigInt,
    }
}

diesel::table! {
    cash_movements (store_id, shift_id, n) {
        store_id -> Uuid,
        shift_id -> Uuid,
        n -> Integer,
        direction -> Text,
        amount_minor -> BigInt,
        reason -> Text,
        actor_id -> Uuid,
        recorded_at -> Timestamptz,
    }
}

diesel::table! {
    z_reports (store_id, register_id, number) {
        store_id -> Uuid,
        register_id -> Uuid,
        number -> BigInt,
        shift_id -> Uuid,
        report -> Jsonb,
    }
}

diesel::joinable!(sale_lines -> sales (sale_id));
diesel::joinable!(return_lines -> returns (return_id));
diesel::allow_tables_to_appear_in_same_query!(sales, sale_lines);
diesel::allow_tables_to_appear_in_same_query!(returns, return_lines);
diesel::allow_tables_to_appear_in_same_query!(shifts, shift_totals, cash_movements, z_reports);
