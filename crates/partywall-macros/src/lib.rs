//! The derive macro of partywall.
