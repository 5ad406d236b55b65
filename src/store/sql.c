#define _POSIX_C_SOURCE 200809L /* access */
#include "store/sql.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/context.h"
#include "base/file/file.h"
#include "base/progress.h"

enum { STATEMENTS_MAX = 96 };

struct orr_sql {
    orr_context *ctx;
    sqlite3 *db;
    char *path;
    double waiting_since; /* orr_now; 0: not yet in this call */
    int n_statements;
    struct {
        const char *text;
        sqlite3_stmt *statement;
    } statements[STATEMENTS_MAX];
};

orr_sql_value orr_sql_int(int64_t value) { return (orr_sql_value){ .kind = 'i', .integer = value }; }
orr_sql_value orr_sql_real(double value) { return (orr_sql_value){ .kind = isnan(value) ? '0' : 'r', .real = value }; }
orr_sql_value orr_sql_text(const char *value) {
    if (!value) return (orr_sql_value){ .kind = '0' };
    return (orr_sql_value){ .kind = 't', .bytes = value, .n = (int64_t)strlen(value) };
}
orr_sql_value orr_sql_blob(const void *bytes, int64_t n) {
    return (orr_sql_value){ .kind = 'b', .bytes = bytes, .n = n };
}

/* A file that it may not make SQLite tries to read, and says that it isn't there. */
static int cause_of_closed(const char *path, int cause) {
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (cause != ENOENT || access(path, F_OK) == 0 || (slash && slash - path >= PATH_MAX - 1)) return cause;
    (void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    return access(folder, F_OK) == 0 && access(folder, W_OK) != 0 ? errno : cause;
}

/* The one place where SQLite's codes become our words. */
static orr_status trouble(orr_sql *sql, int code) {
    const char *path = sql->path;
    orr_context *ctx = sql->ctx;
    const int last = errno; /* SQLite keeps the cause for some calls only */
    int cause = sql->db && sqlite3_system_errno(sql->db) ? sqlite3_system_errno(sql->db) : last;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return orr_fail(
            ctx, ORR_EBUSY,
            "store %s: another process is writing to it (waited %d s); end it, or name another file with --store", path,
            ORR_SQL_PATIENCE_MS / 1000);
    case SQLITE_FULL:
        return orr_fail(ctx, ORR_EIO, "store %s: the disk is full; what was recorded before is safe", path);
    case SQLITE_READONLY:
        return orr_fail(ctx, ORR_EIO, "store %s: the file or its folder is read-only; name another file with --store",
                        path);
    case SQLITE_CANTOPEN:
        cause = cause_of_closed(path, cause);
        return orr_fail(ctx, orr_file_trouble(cause), "store %s: can't be opened (%s); name another file with --store",
                        path, cause ? strerror(cause) : "is its folder there, and may it be written?");
    case SQLITE_NOTADB:
        return orr_fail(ctx, ORR_EINPUT, "store %s: is not a store of Orrery (no SQLite database)", path);
    case SQLITE_CORRUPT:
        return orr_fail(ctx, ORR_EIO, "store %s: the file is damaged; keep a copy and see `sqlite3 FILE .recover`",
                        path);
    case SQLITE_TOOBIG:
        return orr_fail(ctx, ORR_EINPUT, "store %s: a value is larger than SQLite takes (%d bytes)", path,
                        sqlite3_limit(sql->db, SQLITE_LIMIT_LENGTH, -1));
    case SQLITE_NOMEM: return orr_fail(ctx, ORR_ENOMEM, "store %s: out of memory", path);
    case SQLITE_PERM:
    case SQLITE_AUTH: return orr_fail(ctx, ORR_EIO, "store %s: permission denied", path);
    case SQLITE_IOERR:
        if (cause == ENOSPC || cause == EDQUOT || cause == EFBIG)
            return orr_fail(ctx, ORR_EIO, "store %s: the disk is full; what was recorded before is safe", path);
        return orr_fail(ctx, ORR_EIO, "store %s: can't be read or written (%s)", path,
                        cause ? strerror(cause) : sqlite3_errmsg(sql->db));
    case SQLITE_CONSTRAINT: return orr_fail(ctx, ORR_EINPUT, "store %s: %s", path, sqlite3_errmsg(sql->db));
    default: return orr_fail(ctx, ORR_EINTERNAL, "store %s: %s", path, sqlite3_errmsg(sql->db));
    }
}

/* Asks again every few milliseconds: who waits longest has no better chance than others, but with as many writers as
 * there are threads each gets its turn within a fraction of the patience.  SQLite's own handler waits up to 100 ms
 * between two looks and lets late comers pass by. */
static int wait_for_the_writer(void *user, int looks) {
    orr_sql *sql = user;
    (void)looks;
    const double now = orr_now();
    if (sql->waiting_since == 0) sql->waiting_since = now;
    if (now - sql->waiting_since > ORR_SQL_PATIENCE_MS / 1000.0) return 0;
    (void)sqlite3_sleep(2);
    return 1;
}

/* Where two connections wait for each other, as when both turn a new file to WAL, SQLite asks no handler and sends one
 * away at once; outside a transaction that one just tries again. */
static bool try_again(orr_sql *sql, int code) {
    return (code & 0xff) == SQLITE_BUSY && sqlite3_get_autocommit(sql->db) && wait_for_the_writer(sql, 0);
}

static orr_status open_as(orr_context *ctx, const char *path, const char *name, int flags, orr_sql **out) {
    const size_t length = strlen(path);
    orr_sql *sql = orr_allocate(ctx, sizeof *sql + length + 1);
    *out = NULL;
    if (!sql) return orr_fail(ctx, ORR_ENOMEM, "store %s: out of memory", path);
    memset(sql, 0, sizeof *sql);
    sql->ctx = ctx;
    sql->path = (char *)(sql + 1);
    memcpy(sql->path, path, length + 1);
    const int code = sqlite3_open_v2(name, &sql->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    orr_status status = code == SQLITE_OK ? ORR_OK : trouble(sql, code);
    if (status == ORR_OK) {
        (void)sqlite3_busy_handler(sql->db, wait_for_the_writer, sql);
        (void)sqlite3_extended_result_codes(sql->db, 1);
        *out = sql;
    } else {
        orr_sql_close(sql);
    }
    return status;
}

orr_status orr_sql_open(orr_context *ctx, const char *path, orr_sql **out) {
    return open_as(ctx, path, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, out);
}

/* SQLite takes this wish in a URI only, where some letters stand for themselves and all others as %xx. */
orr_status orr_sql_open_immutable(orr_context *ctx, const char *path, orr_sql **out) {
    const size_t room = 3 * strlen(path) + 32;
    char *name = orr_allocate(ctx, room);
    *out = NULL;
    if (!name) return orr_fail(ctx, ORR_ENOMEM, "store %s: out of memory", path);
    size_t at = (size_t)snprintf(name, room, "file:");
    for (const char *c = path; *c; c++) {
        const bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
                           strchr("/._-", *c) != NULL;
        at += (size_t)snprintf(name + at, room - at, plain ? "%c" : "%%%02x", (unsigned char)*c);
    }
    (void)snprintf(name + at, room - at, "?immutable=1");
    const orr_status status = open_as(ctx, path, name, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, out);
    orr_release(ctx, name);
    return status;
}

void orr_sql_close(orr_sql *sql) {
    if (!sql) return;
    for (int i = 0; i < sql->n_statements; i++) (void)sqlite3_finalize(sql->statements[i].statement);
    (void)sqlite3_close(sql->db);
    orr_release(sql->ctx, sql);
}

const char *orr_sql_path(const orr_sql *sql) { return sql->path; }

orr_status orr_sql_script(orr_sql *sql, const char *text) {
    int code;
    sql->waiting_since = 0;
    do code = sqlite3_exec(sql->db, text, NULL, NULL, NULL);
    while (try_again(sql, code));
    return code == SQLITE_OK ? ORR_OK : trouble(sql, code);
}

static orr_status prepare(orr_sql *sql, const char *text, sqlite3_stmt **out) {
    for (int i = 0; i < sql->n_statements; i++)
        if (sql->statements[i].text == text) {
            *out = sql->statements[i].statement;
            return ORR_OK;
        }
    assert(sql->n_statements < STATEMENTS_MAX && "room for every statement that the source holds");
    const int code = sqlite3_prepare_v3(sql->db, text, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    if (code != SQLITE_OK) return trouble(sql, code);
    sql->statements[sql->n_statements].text = text;
    sql->statements[sql->n_statements++].statement = *out;
    return ORR_OK;
}

/* Values are copied nowhere: they outlive the statement's run. */
static int bind(sqlite3_stmt *statement, int at, const orr_sql_value *v) {
    switch (v->kind) {
    case 'i': return sqlite3_bind_int64(statement, at, v->integer);
    case 'r': return sqlite3_bind_double(statement, at, v->real);
    case 't': return sqlite3_bind_text64(statement, at, v->bytes, (sqlite3_uint64)v->n, SQLITE_STATIC, SQLITE_UTF8);
    case 'b': return sqlite3_bind_blob64(statement, at, v->n ? v->bytes : "", (sqlite3_uint64)v->n, SQLITE_STATIC);
    default: return sqlite3_bind_null(statement, at);
    }
}

static orr_sql_value column(sqlite3_stmt *statement, int at) {
    switch (sqlite3_column_type(statement, at)) {
    case SQLITE_INTEGER: {
        const int64_t value = sqlite3_column_int64(statement, at);
        return (orr_sql_value){ .kind = 'i', .integer = value, .real = (double)value };
    }
    case SQLITE_FLOAT: return (orr_sql_value){ .kind = 'r', .real = sqlite3_column_double(statement, at) };
    case SQLITE_TEXT: {
        const unsigned char *text = sqlite3_column_text(statement, at);
        return (orr_sql_value){ .kind = 't', .bytes = text, .n = sqlite3_column_bytes(statement, at) };
    }
    case SQLITE_BLOB: {
        const void *bytes = sqlite3_column_blob(statement, at);
        return (orr_sql_value){ .kind = 'b', .bytes = bytes, .n = sqlite3_column_bytes(statement, at) };
    }
    default: return (orr_sql_value){ .kind = '0', .real = (double)NAN };
    }
}

static orr_status give_row(sqlite3_stmt *statement, orr_sql_row *row, void *user) {
    enum { COLUMNS_MAX = 16 };
    orr_sql_value columns[COLUMNS_MAX];
    const int n = sqlite3_column_count(statement);
    assert(n <= COLUMNS_MAX && "no query of ours has more columns");
    for (int i = 0; i < n; i++) columns[i] = column(statement, i);
    return row(user, columns, n);
}

orr_status orr_sql_run(orr_sql *sql, const char *text, const orr_sql_value *value, int n, orr_sql_row *row,
                       void *user) {
    sqlite3_stmt *statement = NULL;
    orr_status status = ORR_OK;
    int code = SQLITE_OK;
    ORR_TRY(sql->ctx, prepare(sql, text, &statement));
    for (int i = 0; i < n && code == SQLITE_OK; i++) code = bind(statement, i + 1, &value[i]);
    sql->waiting_since = 0;
    for (bool begun = false; code == SQLITE_OK;) {
        while ((code = sqlite3_step(statement)) == SQLITE_ROW && status == ORR_OK) {
            begun = true;
            if (row) status = give_row(statement, row, user);
        }
        if (status != ORR_OK || begun || !try_again(sql, code)) break;
        (void)sqlite3_reset(statement);
        code = SQLITE_OK;
    }
    if (status == ORR_OK && code != SQLITE_DONE) status = trouble(sql, code);
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return status;
}

int64_t orr_sql_last_id(const orr_sql *sql) { return sqlite3_last_insert_rowid(sql->db); }

orr_status orr_sql_begin(orr_sql *sql) { return orr_sql_run(sql, "BEGIN IMMEDIATE", NULL, 0, NULL, NULL); }
orr_status orr_sql_commit(orr_sql *sql) { return orr_sql_run(sql, "COMMIT", NULL, 0, NULL, NULL); }
void orr_sql_rollback(orr_sql *sql) {
    if (!sqlite3_get_autocommit(sql->db)) (void)sqlite3_exec(sql->db, "ROLLBACK", NULL, NULL, NULL);
}
