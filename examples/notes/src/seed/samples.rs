//! The words of the sample data.

pub(super) struct SampleTenant {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    /// The newest first.
    pub(super) notes: &'static [SampleNote],
}

pub(super) struct SampleNote {
    pub(super) title: &'static str,
    pub(super) body: &'static str,
    pub(super) author: &'static str,
    pub(super) tags: &'static [&'static str],
    pub(super) remark: Option<&'static str>,
    /// Author and text.
    pub(super) comments: &'static [(&'static str, &'static str)],
}

pub(super) const TENANTS: [SampleTenant; 3] = [ACME, GLOBEX, INITECH];

const ACME: SampleTenant = SampleTenant {
    slug: "acme",
    name: "Acme Corporation",
    notes: &[
        SampleNote {
            title: "Spring catalogue: last call",
            body: "The printer needs the final pages by Thursday noon.\n\nStill open:\n– prices of the giant magnets\n– a photo of the rocket skates that does not show the crater",
            author: "Ann",
            tags: &["catalogue", "urgent"],
            remark: Some("Ask the printer for the discount of last year."),
            comments: &[
                ("Bob", "The magnets are 12.40 each, or 99 for ten."),
                ("Ann", "Thank you. Then only the photo is missing."),
            ],
        },
        SampleNote {
            title: "Customer feedback, desert region",
            body: "One customer accounts for most of the returns. He reads every manual twice and still stands below the anvil.",
            author: "Bob",
            tags: &["customers"],
            remark: None,
            comments: &[("Ann", "Let us print the arrow in red.")],
        },
        SampleNote {
            title: "Stocktaking in building C",
            body: "Dehydrated boulders: 1,240 (keep dry!)\nPortable holes: nobody can find them\nTunnel paint: 86 tins",
            author: "Bob",
            tags: &["warehouse"],
            remark: None,
            comments: &[],
        },
        SampleNote {
            title: "Welcome to Acme’s notes",
            body: "Whatever is written here is read by Acme’s members and by nobody else. Not because every query remembers to say so, but because PostgreSQL does.",
            author: "Ann",
            tags: &["welcome"],
            remark: None,
            comments: &[("Bob", "I tried. It does.")],
        },
    ],
};

const GLOBEX: SampleTenant = SampleTenant {
    slug: "globex",
    name: "Globex Industries",
    notes: &[
        SampleNote {
            title: "Weather machine: acceptance test",
            body: "Rain within 30 seconds, snow within 90. Hail worked as well, which was not in the specification.",
            author: "Eve",
            tags: &["research", "confidential"],
            remark: Some("Not a word of the hail to the insurance."),
            comments: &[("Ann", "Please move the car park before the next run.")],
        },
        SampleNote {
            title: "Hammock district supplier",
            body: "Mary Ann’s has the better cloth, Put-Your-Butt-There the better prices. An order of 150 is due on Friday.",
            author: "Eve",
            tags: &["facilities"],
            remark: None,
            comments: &[],
        },
        SampleNote {
            title: "Agenda for the board",
            body: "1. Takeover of the east coast\n2. Health plan\n3. Company picnic",
            author: "Ann",
            tags: &["board", "confidential"],
            remark: None,
            comments: &[("Eve", "Could the picnic come first?")],
        },
        SampleNote {
            title: "Welcome to Globex’s notes",
            body: "These are Globex’s. Ann has an account here too, which only reads; she switches tenants at the top of the page.",
            author: "Eve",
            tags: &["welcome"],
            remark: None,
            comments: &[],
        },
    ],
};

const INITECH: SampleTenant = SampleTenant {
    slug: "initech",
    name: "Initech",
    notes: &[
        SampleNote {
            title: "New cover sheets for the TPS reports",
            body: "The memo went out on Monday. All reports need the new sheet from now on.",
            author: "Ivy",
            tags: &["process"],
            remark: None,
            comments: &[("Ivy", "Did everybody get the memo?")],
        },
        SampleNote {
            title: "Printer on the second floor",
            body: "It says “PC LOAD LETTER” again. It wants paper. Nobody knows why it does not say so.",
            author: "Ivy",
            tags: &["office", "urgent"],
            remark: None,
            comments: &[],
        },
        SampleNote {
            title: "Friday is cake",
            body: "At three, by the window. There is enough for everybody this time.",
            author: "Ivy",
            tags: &["office"],
            remark: None,
            comments: &[],
        },
    ],
};
