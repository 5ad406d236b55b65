/* Made by tests/instrument/make_goldens.py from NumPy; don't edit. */
/* nc1, nc2_norm, nc2_angle, nc2_norm_readout, nc2_angle_readout, nc3, nc4 */
static const double golden_collapse[7] = { 0.622920894809966, 0.123100560989757, 0.367096334507586, 0.122300407800662,
                                           0.32302728924884,  1.57425883639447,  0.916666666666667 };
/* no example of class 1: those of it are of class 3 */
static const double golden_collapse_without_a_class[7] = { 0.488383703076154, 0.21343565878839,  0.401927419213067,
                                                           0.223046278329144, 0.266465377439841, 1.66634516435976,
                                                           0.916666666666667 };
/* of the features and of what the readout makes of them */
static const double golden_cka = 0.569392933997261, golden_cka_unbiased = 0.463890204444311;
