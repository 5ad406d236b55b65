/* A real function of one real variable, with what it needs to know in `self`. */
#ifndef ORR_NUMERIC_FUNCTION_H
#define ORR_NUMERIC_FUNCTION_H

typedef double orr_function(void *self, double x);

#endif
