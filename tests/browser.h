/* A real browser without a window, for tests of pages.  It can reach no network: every host name fails to resolve. */
#ifndef ORR_TESTS_BROWSER_H
#define ORR_TESTS_BROWSER_H

#include "files.h"

#define BROWSER                                                                                                        \
    "timeout 200 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run "                        \
    "--window-size=1400,3000 "                                                                                         \
    "--disable-background-networking "                                                                                 \
    "--disable-component-update --disable-sync --disable-dev-shm-usage --host-resolver-rules='MAP * ~NOTFOUND' "

static inline bool browser_is_there(void) { return system("command -v chromium >/dev/null 2>&1") == 0; }

/* A frame that is never read to its end keeps the page loading, and the browser waiting, until release(). */
static const char browser_hold[] =
    "<script>{ const frame = document.createElement('iframe'); frame.title = 'holds the page'; frame.hidden = true; "
    "document.body.append(frame); frame.contentDocument.open(); "
    "window.release = () => { frame.contentDocument.close(); frame.remove(); }; }</script>";
/* Until every figure is drawn. */
static const char browser_until_done[] =
    "(async () => { while (!document.documentElement.dataset.done) await new Promise((go) => setTimeout(go, 25)); "
    "release(); })();";

/* The page after the scripts have run that are put behind its own; the last one calls release().  To be freed; what it
 * wrote to the console is in the file "console". */
static inline char *browser_dom(const char *page, const char *const *script, int n_scripts) {
    char command[2048];
    size_t n;
    char *html = (char *)files_read(page, &n), *end = NULL;
    for (char *at = html; (at = strstr(at, "</body>")); at++) end = at;
    assert_non_null(end);
    const char *driven = files_path("driven.html");
    FILE *file = fopen(driven, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(html, 1, (size_t)(end - html), file), (size_t)(end - html));
    assert_true(fputs(browser_hold, file) >= 0);
    for (int i = 0; i < n_scripts; i++) assert_true(fprintf(file, "<script>%s</script>", script[i]) > 0);
    assert_true(fputs("</body></html>", file) >= 0);
    assert_int_equal(fclose(file), 0);
    free(html);
    (void)snprintf(command, sizeof command,
                   BROWSER "--user-data-dir='%s' --enable-logging=stderr --v=0 --dump-dom 'file://%s' >'%s' 2>'%s'",
                   files_path("browser"), driven, files_path("dom.html"), files_path("console"));
    const int code = system(command);
    if (code != 0) fail_msg("chromium ended with %d", code);
    return (char *)files_read(files_path("dom.html"), &n);
}

static inline int browser_count(const char *dom, const char *what) {
    int n = 0;
    for (const char *at = dom; (at = strstr(at, what)); at += strlen(what)) n++;
    return n;
}

/* What a page may not have: an address that is fetched, in its own markup, and anything the console calls an error. */
static inline void browser_assert_alone(const char *html) {
    static const char *const never[] = { "src=\"http", "href=\"http", "src='http", "href='http", "url(http",
                                         "@import",    "<link",       "<img",      "<iframe" };
    const char *body_scripts = strstr(html, "<script>"); /* the libraries, which name addresses in texts */
    assert_non_null(body_scripts);
    assert_non_null(strstr(html, "default-src 'none'"));
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        const char *at = strstr(html, never[i]);
        if (at && at < body_scripts) fail_msg("the page asks for something: %.60s", at);
    }
    size_t n;
    char *console = (char *)files_read(files_path("console"), &n);
    const char *complaint = strstr(console, "CONSOLE");
    if (complaint) fail_msg("the console says: %.300s", complaint);
    free(console);
}

#endif
