/* The files of web/, as the build embeds them: each with a zero behind its bytes; those of web/vendor packed, as base64 of
 * a raw deflate stream. */
#ifndef ORR_REPORT_WEB_H
#define ORR_REPORT_WEB_H

#include <stddef.h>

extern const char orr_web_page_html[], orr_web_page_css[], orr_web_page_js[], orr_web_figure_js[];
extern const char orr_web_katex[], orr_web_katex_css[];
extern const char orr_web_vega[], orr_web_vega_lite[], orr_web_vega_embed[];
#define ORR_FIGURE(name) extern const char orr_figure_##name[];
#include "report/figures.def"
#undef ORR_FIGURE

#endif
