//! What one analyser model means by its fields: schema, checks, interpretation, catalogue.
