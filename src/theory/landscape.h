/* A loss as a function of parameters, L: R^n -> R.  This is all that theory knows of a network: there is no door from here
 * to a trained one, nor to a learning rule. */
#ifndef ORR_THEORY_LANDSCAPE_H
#define ORR_THEORY_LANDSCAPE_H

#include "base/arena.h"
#include "orrery.h"

typedef struct orr_landscape {
    int64_t n;
    /* *loss = L(w) and g = grad L(w), n numbers.  A loss or gradient that is no number is the caller's to see. */
    orr_status (*gradient)(void *self, const double *w, double *loss, double *g);
    /* hv = H v at the w of the last orr_landscape_at. */
    orr_status (*hessian_product)(void *self, const double *v, double *hv);
    orr_status (*at)(void *self, const double *w);
    void *self;
    /* out = grad_w (u' H(w) v) at the w of the last orr_landscape_at: what the third derivatives say along u and v.  May be NULL. */
    orr_status (*third_product)(void *self, const double *u, const double *v, double *out);
} orr_landscape;

/* The sharpness lambda_max(H) at w, the algebraically largest eigenvalue of the Hessian; unit loss / parameter^2.
 * Lanczos with full re-orthogonalisation: 40 steps from a random vector where ritz[n] is all 0, otherwise 16 steps from
 * ritz.  ritz gets the new Ritz vector, a good start for a w near by.  *value is NaN where H v is no number. */
orr_status orr_landscape_sharpness(orr_context *ctx, orr_arena *scratch, const orr_landscape *landscape,
                                   const double *w, double *ritz, double *value) ORR_MUST_USE;

#endif
