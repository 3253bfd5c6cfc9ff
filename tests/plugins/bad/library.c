/* A library that the plugins missing_library and library_by_path need. */
__attribute__((visibility("default"))) int library_function(void);
int library_function(void) { return 0; }
