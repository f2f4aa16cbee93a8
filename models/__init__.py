"""Models: base encoder, classifier, escalation model, policy, bundle, engines, and the scorer that joins them."""
