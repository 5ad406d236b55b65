/* A soft committee machine that learns another from fresh Gaussian examples, in the limit of large dimension: the overlaps of
 * their weight vectors close among themselves.
 *
 *     student s(x) = a sum_i g(J_i.x), i = 1..K      teacher t(x) = b sum_m g(B_m.x), m = 1..M      g(u) = erf(u/sqrt 2)
 *     x ~ N(0, I_N), y = t + noise,  J_i <- J_i + (eta/N) mean over a batch of a (y - s) g'(J_i.x) x,  alpha = update/N
 *     fields u = (J_1.x, .., J_K.x, B_1.x, .., B_M.x) ~ N(0, C),  C = [[Q, R], [R', T]];  v = (-a, .., -a, b, .., b)
 *
 *     dR_im/dalpha = eta a sum_j v_j I3(i, K+m, j)
 *     dQ_ik/dalpha = eta a sum_j v_j [ I3(i,k,j) + I3(k,i,j) ] + (eta a)^2/B [ sum_jl v_j v_l I4(i,k,j,l) + s2 J2(i,k) ]
 *     e_g = 1/2 E (s - t)^2 = 1/2 sum_jl v_j v_l I2(j,l)
 *
 *   paper     here            meaning
 *   K, M      students, teachers   units
 *   a, b      student_head, teacher_head   fixed weights of the second layers; 1 in the paper
 *   eta       learning_rate   times 1/N: step length of an update on 1/2 (s - y)^2
 *   B         batch           examples an update, 1 in the paper; they are averaged, and are few against N
 *   s2        noise           variance of the noise on a label
 *   C         c               [n, n] row-major, n = K + M: students first
 *
 * Deviations at finite N are O(1/sqrt N).  Sources: Saad, Solla 1995 (PRL 74, 4337; PRE 52, 4225); Goldt et al. 2019
 * (1906.08632).  Sheet: laws/solvable/saad-solla.md */
#ifndef ORR_THEORY_COMMITTEE_H
#define ORR_THEORY_COMMITTEE_H

#include "base/arena.h"
#include "orrery.h"

typedef struct orr_committee {
    int64_t students, teachers;
    double student_head, teacher_head;
    double learning_rate, batch, noise;
} orr_committee;

/* Gaussian means of u ~ N(0, C), in closed form; indices may repeat.
 *   I2(a,b) = E g(u_a) g(u_b)    I3(a,b,c) = E g'(u_a) u_b g(u_c)    J2(a,b) = E g'(u_a) g'(u_b)
 *   I4(a,b,c,d) = E g'(u_a) g'(u_b) g(u_c) g(u_d) */
double orr_committee_i2(const double *c, int64_t n, int64_t a, int64_t b);
double orr_committee_i3(const double *c, int64_t n, int64_t a, int64_t b, int64_t d);
double orr_committee_j2(const double *c, int64_t n, int64_t a, int64_t b);
double orr_committee_i4(const double *c, int64_t n, int64_t a, int64_t b, int64_t d, int64_t e);

/* e_g, without the noise of labels. */
double orr_committee_error(const orr_committee *m, const double *c);

/* dC/dalpha [n, n]: 0 in the block of T.  O(K^2 (K+M)^2). */
void orr_committee_rate(const orr_committee *m, const double *c, double *rate);

/* C at count increasing times alpha >= 0, from c_0 at alpha = 0: path[count, n, n], error[count] its e_g.  NaN past a point that
 * the integration can't pass, where overlaps grow without bound.  Fails: ORR_EINPUT where c_0 isn't finite, ORR_ENOMEM. */
orr_status orr_committee_path(orr_context *ctx, orr_arena *scratch, const orr_committee *m, const double *c_0,
                              int64_t count, const double *alpha, double *path, double *error) ORR_MUST_USE;

#endif
