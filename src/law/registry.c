#include <string.h>

#include "law/law.h"

#define ORR_LAW(section, name) extern const orr_law orr_law_##name;
#include "law/laws.def"
#undef ORR_LAW
static const orr_law *const all[] = {
#define ORR_LAW(section, name) &orr_law_##name,
#include "law/laws.def"
#undef ORR_LAW
};

static const char *const approaches[] = {
#define ORR_LAW(section, name) #section,
#include "law/laws.def"
#undef ORR_LAW
};

const orr_law *orr_law_at(int i) { return i >= 0 && (size_t)i < sizeof all / sizeof all[0] ? all[i] : NULL; }

const orr_law *orr_law_find(const char *id) {
    for (int i = 0; orr_law_at(i); i++)
        if (strcmp(orr_law_at(i)->id, id) == 0) return orr_law_at(i);
    return NULL;
}

const char *orr_law_approach(int i) { return orr_law_at(i) ? approaches[i] : NULL; }
