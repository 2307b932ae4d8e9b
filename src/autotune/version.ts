// The version of the package: another one may have other candidates, and other texts of kernels, so what was measured by it is not taken.

export const VERSION = "0.2.0";
