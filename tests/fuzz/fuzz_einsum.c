/* An equation of orr_einsum is text from a user: whatever it says, the graph takes it or carries a message. */
#include <string.h>

#include "fuzz.h"
#include "orrery.h"

enum { LENGTH_MAX = 64 };

/* First byte: ranks of the operands, 0 to 4 each, and whether there are two; the rest: the equation. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1 || size > LENGTH_MAX) return 0;
    char equation[LENGTH_MAX] = "";
    memcpy(equation, data + 1, size - 1);
    orr_context *ctx;
    orr_graph *g;
    if (orr_context_new(&(orr_context_options){ .threads = 1 }, &ctx) != ORR_OK) return 0;
    if (orr_graph_new(ctx, &g) == ORR_OK) {
        orr_shape a = { .rank = data[0] % 5, .size = { 2, 3, 2, 3 } },
                  b = { .rank = data[0] / 5 % 5, .size = { 3, 2, 3, 2 } };
        const orr_node x = orr_input(g, "x", ORR_F32, a);
        const orr_node y = data[0] / 25 % 2 ? orr_input(g, "y", ORR_F32, b) : ORR_NONE;
        (void)orr_einsum(g, equation, x, y);
        if ((orr_graph_status(g) == ORR_OK) != !*orr_graph_message(g)) fuzz_fail("a status without a message");
        orr_graph_free(g);
    }
    orr_context_free(ctx);
    return 0;
}
