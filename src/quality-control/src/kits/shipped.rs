//! Examples of kit files that come with the program, to be copied and completed by a site. None of them is in force by itself.

/// Name and text of each.
pub const SHIPPED: &[(&str, &str)] = &[
    ("generic/elisa-direct", include_str!("../../kits/generic/elisa-direct.toml")),
    ("generic/elisa-competitive", include_str!("../../kits/generic/elisa-competitive.toml")),
    ("generic/clia-window", include_str!("../../kits/generic/clia-window.toml")),
    ("generic/nat-batch", include_str!("../../kits/generic/nat-batch.toml")),
    ("generic/grouping-cells", include_str!("../../kits/generic/grouping-cells.toml")),
];
