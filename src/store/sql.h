/* SQLite, wrapped: one connection, statements prepared once, every trouble told in one clear line with the file's name.
 */
#ifndef ORR_STORE_SQL_H
#define ORR_STORE_SQL_H

#include "base/arena.h"
#include "orrery.h"

typedef struct orr_sql orr_sql;

/* Milliseconds to wait for another connection that writes: 64 of them that commit 10 ms each take turns in 0.6 s. */
enum { ORR_SQL_PATIENCE_MS = 10000 };

typedef struct orr_sql_value {
    char kind; /* 'i' integer, 'r' real, 't' text, 'b' bytes, '0' NULL */
    int64_t integer;
    double real; /* NaN is stored as NULL */
    const void *bytes;
    int64_t n; /* of bytes; for a text without its zero */
} orr_sql_value;

orr_sql_value orr_sql_int(int64_t value);
orr_sql_value orr_sql_real(double value);
orr_sql_value orr_sql_text(const char *value); /* NULL is NULL */
orr_sql_value orr_sql_blob(const void *bytes, int64_t n);

/* Opens or makes the file (":memory:": none), for reading and writing.
 * Fails: ORR_EIO read-only, damaged; ORR_EINPUT a folder, in none, no database; ORR_EBUSY; ORR_ENOMEM. */
orr_status orr_sql_open(orr_context *ctx, const char *path, orr_sql **out) ORR_MUST_USE;
/* For reading a file that nobody can write while it is open. */
orr_status orr_sql_open_immutable(orr_context *ctx, const char *path, orr_sql **out) ORR_MUST_USE;
void orr_sql_close(orr_sql *sql);
const char *orr_sql_path(const orr_sql *sql);

/* Several statements in one text, without values. */
orr_status orr_sql_script(orr_sql *sql, const char *text) ORR_MUST_USE;

/* One statement with its n values ?1, ?2, ...; `row`, where given, is called for each row of the result, whose texts
 * and bytes are valid until it returns.  `text` must be a string literal: its address names the prepared statement.
 * Fails as orr_sql_open; ORR_EINPUT where a rule of the schema forbids it (the seal); ORR_EIO where the disk is full.
 */
typedef orr_status orr_sql_row(void *user, const orr_sql_value *column, int n);
orr_status orr_sql_run(orr_sql *sql, const char *text, const orr_sql_value *value, int n, orr_sql_row *row,
                       void *user) ORR_MUST_USE;
int64_t orr_sql_last_id(const orr_sql *sql); /* of the last insertion */

/* A transaction that may write; rollback never fails. */
orr_status orr_sql_begin(orr_sql *sql) ORR_MUST_USE;
orr_status orr_sql_commit(orr_sql *sql) ORR_MUST_USE;
void orr_sql_rollback(orr_sql *sql);

#endif
