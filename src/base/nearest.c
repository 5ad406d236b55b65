#include "base/nearest.h"

#include <string.h>

enum { LENGTH_MAX = 64 }; /* longer words are near to nothing */

static int least(int a, int b) { return a < b ? a : b; }

/* Optimal string alignment distance:
 *     d[i,j] = min(d[i-1,j] + 1, d[i,j-1] + 1, d[i-1,j-1] + (a_i != b_j), d[i-2,j-2] + 1 where a swap explains both) */
static int edits(const char *a, int na, const char *b, int nb) {
    int row[3][LENGTH_MAX + 1];
    for (int j = 0; j <= nb; j++) row[0][j] = j;
    for (int i = 1; i <= na; i++) {
        int *d = row[i % 3];
        const int *d1 = row[(i + 2) % 3], *d2 = row[(i + 1) % 3]; /* rows i-1 and i-2 */
        d[0] = i;
        for (int j = 1; j <= nb; j++) {
            d[j] = least(least(d1[j] + 1, d[j - 1] + 1), d1[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[j] = least(d[j], d2[j - 2] + 1);
        }
    }
    return row[na % 3][nb];
}

const char *orr_nearest(const char *word, const char *const *names, int n) {
    const size_t length = strlen(word);
    const char *best = NULL;
    int best_edits = LENGTH_MAX;
    if (length == 0 || length > LENGTH_MAX) return NULL;
    for (int i = 0; i < n; i++) {
        const size_t other = strlen(names[i]);
        if (other > LENGTH_MAX) continue;
        const int d = edits(word, (int)length, names[i], (int)other);
        const int limit = ((int)(length > other ? length : other) + 2) / 3;
        if (d <= limit && d < best_edits) {
            best = names[i];
            best_edits = d;
        }
    }
    return best;
}
