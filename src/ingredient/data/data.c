#include "ingredient/data/data.h"

#define ORR_DATA(name) extern const orr_data orr_data_##name;
#include "ingredient/data/data.def"
#undef ORR_DATA

static const orr_data *const all[] = {
#define ORR_DATA(name) &orr_data_##name,
#include "ingredient/data/data.def"
#undef ORR_DATA
};

const orr_data *orr_data_at(int i) { return i < (int)(sizeof all / sizeof all[0]) ? all[i] : NULL; }
