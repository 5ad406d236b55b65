// The public header as C++17 uses it: compiled by tools/headers without a warning, linked and run by install_test.
#include <cstdio>

#include <orrery.h>

int main() {
    orr_context *ctx;
    orr_graph *g;
    orr_program *p;
    if (orr_context_new(nullptr, &ctx) != ORR_OK || orr_graph_new(ctx, &g) != ORR_OK) return 1;
    const orr_node a = orr_fill(g, ORR_F64, ORR_SHAPE(2, 3), 7), b = orr_fill(g, ORR_F64, ORR_SCALAR, 5);
    const orr_node y = orr_add(g, orr_sum(g, a, ORR_AXES(0, -1)), b);
    orr_compile_options options{};
    options.outputs = &y;
    options.n_outputs = 1;
    if (orr_compile(ctx, g, &options, &p) != ORR_OK || orr_program_run(p) != ORR_OK) {
        std::puts(orr_context_message(ctx));
        return 2;
    }
    std::printf("%g\n", *static_cast<const double *>(orr_program_data(p, y))); // 2 x 3 x 7 + 5 = 47
    orr_program_free(p);
    orr_graph_free(g);
    orr_context_free(ctx);
}
