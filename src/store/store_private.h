/* What the files of the store share. */
#ifndef ORR_STORE_STORE_PRIVATE_H
#define ORR_STORE_STORE_PRIVATE_H

#include "store/sql.h"
#include "store/store.h"

orr_context *orr_store_context(const orr_store *store);
orr_sql *orr_store_sql(const orr_store *store);

#define ORR_STORE_RUN(sql, text, ...)                                                                                  \
    orr_sql_run(sql, text, (const orr_sql_value[]){ __VA_ARGS__ },                                                     \
                (int)(sizeof(const orr_sql_value[]){ __VA_ARGS__ } / sizeof(orr_sql_value)), NULL, NULL)

/* For orr_sql_run: the first column of the last row. */
orr_status orr_store_take_int(void *to_int64, const orr_sql_value *column, int n) ORR_MUST_USE;

#endif
