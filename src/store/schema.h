/* The texts of schema_1.sql and schema_2.sql, as the build embeds them: a new store is made by both, one after the
 * other, so that it is the same as an old one that was brought up to date. */
#ifndef ORR_STORE_SCHEMA_H
#define ORR_STORE_SCHEMA_H

extern const char orr_store_schema_1[], orr_store_schema_2[];

#endif
