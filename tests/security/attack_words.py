"""What attackers type: one list for all tests, so that every interface is tried with everything."""

NAMES = (
    "'; DROP TABLE customers; --",
    "x' OR '1'='1",
    "x') OR (FCUSTID > 0) --",
    "') or (id is not null) or (Hub_Key = '",
    "\\' OR 1=1 --",
    "\\",
    '" OR ""="',
    "`; DROP TABLE customers; --",
    "]; DROP TABLE customers; --",
    "%' OR name LIKE '%",
    "1); ATTACH DATABASE '/tmp/pwned' AS x; --",
    "{0.__class__.__mro__}",
    "{{7*7}} ${7*7} #{7*7} <%= 7*7 %>",
    "%s%s%n %(secret)s",
    "$(touch pwned) `touch pwned` | touch pwned ; touch pwned",
    "__import__('os').system('touch pwned')",
    "'''+__import__('os').system('touch pwned')+'''",
    "\"); import os; os.system('touch pwned') #",
    "../../../../etc/passwd",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/p.png)",
    "=HYPERLINK(\"https://evil.example\")",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\x1b]0;owned\x07\x1b[2J",
    "a\rb\x08c\x9b31m",
    "\u202etxt.exe",
    "zero\u200bwidth",
    "长" * 300,
    "🦊👩‍👩‍👧",
    "null", "true", "0", "1e999999999", "NaN", "-0",
)  # fmt: skip
"""As values: names, numbers, notes, keys."""

IDENTIFIERS = (
    'we"ird', "we'ird", "semi;colon", "two words", "DROP TABLE x", "select", "a.b", "a[0]", "brace{}", "percent%s",
    "back\\slash", "-- comment", "/* c */", "中文列", "`tick`", "[bracket]", "colon:name", "q?", "${X}",
)  # fmt: skip
"""As names of tables, columns and fields."""
