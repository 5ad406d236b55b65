/* The texts of schema_1.sql to schema_3.sql, as the build embeds them: a new store is made by all, one after the other, so
 * that it is the same as an old one that was brought up to date. */
#ifndef ORR_STORE_SCHEMA_H
#define ORR_STORE_SCHEMA_H

extern const char orr_store_schema_1[], orr_store_schema_2[], orr_store_schema_3[];

#endif
