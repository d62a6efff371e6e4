CREATE TABLE customers (
    id bigserial PRIMARY KEY, hub_key text UNIQUE, number text, name text NOT NULL, tax_no text, phone text, email text,
    state char(1) NOT NULL DEFAULT 'A', updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE products (
    id bigserial PRIMARY KEY, hub_key text UNIQUE, sku text UNIQUE NOT NULL, name text NOT NULL, price numeric(15, 4),
    state char(1) NOT NULL DEFAULT 'A', updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE orders (
    id bigserial PRIMARY KEY, hub_key text UNIQUE, number text, shop_order text, customer_id bigint REFERENCES customers,
    order_date date, status text, invoice_state text, shipment_state text, total numeric(15, 2),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE order_lines (
    order_id bigint REFERENCES orders ON DELETE CASCADE, line_no int, product_id bigint REFERENCES products,
    quantity numeric(15, 4), unit_price numeric(15, 4), PRIMARY KEY (order_id, line_no)
);
CREATE TABLE invoices (
    id bigserial PRIMARY KEY, hub_key text UNIQUE, number text, customer_id bigint REFERENCES customers,
    order_id bigint REFERENCES orders, invoice_date date, status text, total numeric(15, 2),
    updated_at timestamptz NOT NULL DEFAULT now()
);
