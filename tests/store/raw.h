/* A store seen by another program: any SQL on its file. */
#ifndef ORR_TESTS_STORE_RAW_H
#define ORR_TESTS_STORE_RAW_H

#include <sqlite3.h>
#include <stdio.h>

#include "testing.h"

/* Runs statements; SQLite's error message, or "". */
static inline const char *raw(const char *path, const char *sql) {
    static char message[512];
    sqlite3 *db;
    char *error = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    (void)sqlite3_exec(db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL);
    (void)sqlite3_exec(db, sql, NULL, NULL, &error);
    (void)snprintf(message, sizeof message, "%s", error ? error : "");
    sqlite3_free(error);
    (void)sqlite3_close(db);
    return message;
}

static inline int raw_take_text(void *user, int n, char **value, char **name) {
    (void)n, (void)name;
    (void)snprintf(user, 1024, "%s", value[0] ? value[0] : "NULL");
    return 0;
}

/* The first column of the last row of a query. */
static inline const char *query(const char *path, const char *sql) {
    static char text[4][1024];
    static int at;
    char *out = text[at = (at + 1) % 4];
    sqlite3 *db;
    out[0] = '\0';
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 2000);
    assert_int_equal(sqlite3_exec(db, sql, raw_take_text, out, NULL), SQLITE_OK);
    (void)sqlite3_close(db);
    return out;
}

#endif
