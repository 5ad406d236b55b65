/* The CSV reader on any bytes: a refusal in words, or a table of which every column can be read as classes and, where its
 * fields are numbers to strtod in the C locale too, as those. */
#include <math.h>

#include "base/file/csv.h"
#include "base/number.h"
#include "fuzz_file.h"

static void check_number(const char *field) {
    double x = 0.0;
    char *end;
    if (orr_number_read(field, strlen(field), &x)) return;
    const double expected = strtod(field, &end);
    if (*end || (x != expected && !(isnan(x) && isnan(expected)))) fuzz_fail("a number that strtod reads otherwise");
    if (signbit(x) != signbit(expected)) fuzz_fail("a number of the other sign");
}

static void check_table(fuzz_world w, const orr_csv *csv) {
    orr_array a;
    const char *const *words;
    int n;
    for (int64_t i = 0; i < csv->rows * csv->columns; i++) check_number(csv->field[i]);
    for (int64_t i = 1; i < csv->rows; i++)
        if (csv->line[i] <= csv->line[i - 1]) fuzz_fail("lines out of order");
    for (int j = 0; j < csv->columns && j < 8; j++) {
        if (fuzz_accepted(w, orr_csv_classes(w.ctx, w.arena, csv, csv->name[j], &a, &words, &n)))
            for (int64_t i = 0; i < csv->rows; i++)
                if (strcmp(words[((int32_t *)a.data)[i]], csv->field[i * csv->columns + j]) != 0)
                    fuzz_fail("a class that is another word");
        (void)fuzz_accepted(w, orr_csv_numbers(w.ctx, w.arena, csv, &csv->name[j], 1, &a));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    static const orr_csv_options options[] = { { 0 }, { .no_header = true, .missing = "" }, { .separator = ';' } };
    for (int i = 0; i < 3; i++) {
        const fuzz_world w = fuzz_begin();
        orr_csv csv;
        if (fuzz_accepted(w, orr_csv_parse(w.ctx, w.arena, "fuzz", fuzz_bytes(bytes, n), &options[i], &csv)))
            check_table(w, &csv);
        (void)fuzz_end(w);
    }
    return 0;
}
