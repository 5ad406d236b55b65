#include "ingredient/rule/rule.h"

#define ORR_RULE(name) extern const orr_rule orr_rule_##name;
#include "ingredient/rule/rule.def"
#undef ORR_RULE

static const orr_rule *const all[] = {
#define ORR_RULE(name) &orr_rule_##name,
#include "ingredient/rule/rule.def"
#undef ORR_RULE
};

const orr_rule *orr_rule_at(int i) { return i < (int)(sizeof all / sizeof all[0]) ? all[i] : NULL; }
