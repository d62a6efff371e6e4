-- The finance department's own database: small, strict, with its own keys and its own names for things.
-- Triggers keep updated_at, as its application would.

CREATE TABLE customers (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    hub_key      TEXT UNIQUE,
    name         TEXT NOT NULL,
    tax_no       TEXT,
    phone        TEXT,
    email        TEXT,
    website      TEXT,
    currency     TEXT,
    credit_limit NUMERIC(14, 2),
    terms        TEXT,
    bank_account TEXT,
    state        TEXT NOT NULL DEFAULT 'A' CHECK (state IN ('A', 'I')),
    remark       TEXT,
    street       TEXT,
    city         TEXT,
    postcode     TEXT,
    country      TEXT,
    updated_at   TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
);

CREATE TABLE products (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    hub_key    TEXT UNIQUE,
    sku        TEXT NOT NULL,
    name       TEXT NOT NULL,
    unit       TEXT,
    price      NUMERIC(14, 4),
    vat        NUMERIC(6, 3),
    state      TEXT NOT NULL DEFAULT 'A' CHECK (state IN ('A', 'I')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
);

CREATE TABLE orders (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    hub_key     TEXT UNIQUE,
    number      TEXT,
    subject     TEXT,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    order_date  TEXT,
    currency    TEXT,
    status      TEXT,
    net_total   NUMERIC(16, 2),
    tax_total   NUMERIC(16, 2),
    total       NUMERIC(16, 2),
    updated_at  TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
);

CREATE TABLE order_lines (
    order_id   INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    line_no    INTEGER NOT NULL,
    product_id INTEGER REFERENCES products (id),
    quantity   NUMERIC(16, 4),
    unit_price NUMERIC(16, 6),
    vat        NUMERIC(6, 3),
    amount     NUMERIC(16, 2),
    PRIMARY KEY (order_id, line_no)
);

CREATE TABLE invoices (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    hub_key      TEXT UNIQUE,
    number       TEXT,
    fapiao       TEXT,
    title        TEXT,
    customer_id  INTEGER NOT NULL REFERENCES customers (id),
    invoice_date TEXT,
    due_date     TEXT,
    currency     TEXT,
    status       TEXT,
    net_total    NUMERIC(16, 2),
    tax_total    NUMERIC(16, 2),
    total        NUMERIC(16, 2),
    updated_at   TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
);

CREATE TABLE invoice_lines (
    invoice_id INTEGER NOT NULL REFERENCES invoices (id) ON DELETE CASCADE,
    line_no    INTEGER NOT NULL,
    product_id INTEGER REFERENCES products (id),
    quantity   NUMERIC(16, 4),
    unit_price NUMERIC(16, 6),
    vat        NUMERIC(6, 3),
    amount     NUMERIC(16, 2),
    PRIMARY KEY (invoice_id, line_no)
);

-- Every change of a record is noted, whoever makes it.
CREATE TABLE journal (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    record TEXT NOT NULL
);

CREATE TRIGGER customers_touched AFTER UPDATE ON customers WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE customers SET updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE id = NEW.id; END;

CREATE TRIGGER products_touched AFTER UPDATE ON products WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE products SET updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE id = NEW.id; END;

CREATE TRIGGER orders_touched AFTER UPDATE ON orders WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE orders SET updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE id = NEW.id; END;

CREATE TRIGGER invoices_touched AFTER UPDATE ON invoices WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE invoices SET updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE id = NEW.id; END;

CREATE INDEX customers_by_change ON customers (updated_at);
CREATE INDEX products_by_change ON products (updated_at);
CREATE INDEX orders_by_change ON orders (updated_at);
CREATE INDEX invoices_by_change ON invoices (updated_at);

CREATE TRIGGER customers_made AFTER INSERT ON customers
BEGIN INSERT INTO journal (record) VALUES ('customers ' || NEW.id); END;

CREATE TRIGGER customers_changed AFTER UPDATE ON customers WHEN NEW.updated_at = OLD.updated_at
BEGIN INSERT INTO journal (record) VALUES ('customers ' || NEW.id); END;

CREATE TRIGGER customers_removed AFTER DELETE ON customers
BEGIN INSERT INTO journal (record) VALUES ('customers ' || OLD.id); END;

CREATE TRIGGER products_made AFTER INSERT ON products
BEGIN INSERT INTO journal (record) VALUES ('products ' || NEW.id); END;

CREATE TRIGGER products_changed AFTER UPDATE ON products WHEN NEW.updated_at = OLD.updated_at
BEGIN INSERT INTO journal (record) VALUES ('products ' || NEW.id); END;

CREATE TRIGGER products_removed AFTER DELETE ON products
BEGIN INSERT INTO journal (record) VALUES ('products ' || OLD.id); END;

CREATE TRIGGER orders_made AFTER INSERT ON orders
BEGIN INSERT INTO journal (record) VALUES ('orders ' || NEW.id); END;

CREATE TRIGGER orders_changed AFTER UPDATE ON orders WHEN NEW.updated_at = OLD.updated_at
BEGIN INSERT INTO journal (record) VALUES ('orders ' || NEW.id); END;

CREATE TRIGGER orders_removed AFTER DELETE ON orders
BEGIN INSERT INTO journal (record) VALUES ('orders ' || OLD.id); END;

CREATE TRIGGER invoices_made AFTER INSERT ON invoices
BEGIN INSERT INTO journal (record) VALUES ('invoices ' || NEW.id); END;

CREATE TRIGGER invoices_changed AFTER UPDATE ON invoices WHEN NEW.updated_at = OLD.updated_at
BEGIN INSERT INTO journal (record) VALUES ('invoices ' || NEW.id); END;

CREATE TRIGGER invoices_removed AFTER DELETE ON invoices
BEGIN INSERT INTO journal (record) VALUES ('invoices ' || OLD.id); END;
