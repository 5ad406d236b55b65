#include "ingredient/architecture/architecture.h"

#define ORR_ARCHITECTURE(name) extern const orr_architecture orr_architecture_##name;
#include "ingredient/architecture/architecture.def"
#undef ORR_ARCHITECTURE

static const orr_architecture *const all[] = {
#define ORR_ARCHITECTURE(name) &orr_architecture_##name,
#include "ingredient/architecture/architecture.def"
#undef ORR_ARCHITECTURE
};

const orr_architecture *orr_architecture_at(int i) { return i < (int)(sizeof all / sizeof all[0]) ? all[i] : NULL; }
