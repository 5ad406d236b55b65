#include "simd/generated.h"

orr_code orr_code_generate(orr_dtype dtype, const orr_code_shape *s) {
    const int m = (int)s->n, n = (int)s->m, k = (int)s->k, lda = (int)s->ldb, ldb = (int)s->lda, ldc = (int)s->ldc;
    const int flags = s->a_transposed ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
    orr_code code = { 0 };
    if (dtype == ORR_F64) {
        const double alpha = 1, beta = s->add;
        code.f64 = libxsmm_dmmdispatch(m, n, k, &lda, &ldb, &ldc, &alpha, &beta, &flags, NULL);
    } else {
        const float alpha = 1, beta = (float)s->add;
        code.f32 = libxsmm_smmdispatch(m, n, k, &lda, &ldb, &ldc, &alpha, &beta, &flags, NULL);
    }
    return code;
}
