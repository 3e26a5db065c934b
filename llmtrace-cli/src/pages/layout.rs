//! What all pages stand in: header, navigation, search, help.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::assets::{Asset, ICONS, MODULES, STYLES, THEME};
use super::components::icon::{Icon, icon};

/// A page of which only the body is missing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page<'a> {
    title: &'a str,
    section: Section,
    search: &'a str,
    /// A style and a script that this page alone needs.
    more: Option<[&'a Asset; 2]>,
}

/// A part of the site that the header links to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Traces,
    Sessions,
    Dashboard,
    Compare,
    Findings,
    /// None of these: a page about an error, or the one that asks for the token.
    None,
}

impl Section {
    const ALL: [Self; 5] = [Self::Traces, Self::Sessions, Self::Dashboard, Self::Compare, Self::Findings];

    fn title(self) -> &'static str {
        match self {
            Self::Traces => "Traces",
            Self::Sessions => "Sessions",
            Self::Dashboard => "Dashboard",
            Self::Compare => "Compare",
            Self::Findings => "Findings",
            Self::None => "",
        }
    }

    fn href(self) -> &'static str {
        match self {
            Self::Traces | Self::None => "/traces",
            Self::Sessions => "/sessions",
            Self::Dashboard => "/dashboard",
            Self::Compare => "/compare",
            Self::Findings => "/findings",
        }
    }
}

impl<'a> Page<'a> {
    /// A page of a section.
    pub(crate) fn new(title: &'a str, section: Section) -> Self {
        Self { title, section, search: "", more: None }
    }

    /// What stands in the search box.
    pub(crate) fn searching(mut self, search: &'a str) -> Self {
        self.search = search;
        self
    }

    /// Also loads a style and a script that other pages do not need.
    pub(crate) fn with(mut self, style: &'a Asset, script: &'a Asset) -> Self {
        self.more = Some([style, script]);
        self
    }

    /// The whole page around this body.
    pub(crate) fn render(&self, body: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · llmtrace" }
                    link rel="icon" href=(FAVICON);
                    @for style in STYLES {
                        link rel="stylesheet" href=(style.url());
                    }
                    @if let Some([style, script]) = self.more {
                        link rel="stylesheet" href=(style.url());
                        script type="module" src=(script.url()) {}
                    }
                    script src=(THEME.url()) {}
                    @for module in MODULES {
                        script type="module" src=(module.url()) {}
                    }
                }
                body {
                    (PreEscaped(ICONS))
                    a.skip href="#main" { "Skip to content" }
                    (self.header())
                    main #main tabindex="-1" { (body) }
                    div #announce .visually-hidden role="status" aria-live="polite" {}
                    (help())
                }
            }
        }
    }

    fn header(&self) -> Markup {
        html! {
            header.top {
                a.brand href="/traces" { (icon(Icon::Mark)) span { "llmtrace" } }
                nav aria-label="Pages" {
                    @for section in Section::ALL {
                        a href=(section.href()) aria-current=[(section == self.section).then_some("page")] {
                            (section.title())
                        }
                    }
                }
                form.search action="/traces" method="get" role="search" {
                    (icon(Icon::Search))
                    input #search type="search" name="q" value=(self.search) maxlength="400" autocomplete="off"
                        placeholder="Search messages, names, errors" aria-label="Search all traces";
                    kbd aria-hidden="true" { "/" }
                }
                button.quiet.square type="button" data-help hidden title="Keys (?)" aria-label="Keys" {
                    (icon(Icon::Keyboard))
                }
                button.quiet.square type="button" data-theme-toggle hidden title="Light or dark"
                    aria-label="Light or dark" { (icon(Icon::Theme)) }
            }
        }
    }
}

/// A small mark as a data address: nothing is fetched for it.
const FAVICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
%3Crect width='16' height='16' rx='4' fill='%233b5bdb'/%3E%3Cpath d='M4 4.5h5M6 8h6M8 11.5h3' stroke='white' \
stroke-width='1.8' stroke-linecap='round'/%3E%3C/svg%3E";

/// The keys, in the dialog that `?` opens.
fn help() -> Markup {
    let keys: [(&[&str], &str); 10] = [
        (&["j", "k", "↓", "↑"], "next, previous row"),
        (&["Enter"], "open the row"),
        (&["l", "h", "→", "←"], "expand, collapse"),
        (&["]", "["], "next, previous error"),
        (&["1", "…", "5"], "tab of the span"),
        (&["c"], "copy the id"),
        (&["/"], "search"),
        (&["g t", "g s", "g d"], "traces, sessions, dashboard"),
        (&["g c", "g f"], "compare, findings"),
        (&["?", "Esc"], "open, close this"),
    ];
    html! {
        dialog #help aria-labelledby="help-title" {
            h2 #help-title { "Keys" }
            dl.keys {
                @for (names, what) in keys {
                    div {
                        dt { @for name in names { @if *name == "…" { "…" } @else { kbd { (name) } } } }
                        dd { (what) }
                    }
                }
            }
            form method="dialog" { button type="submit" { "Close" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::testing::assert_sound;

    #[test]
    fn the_page_says_where_the_reader_is_and_keeps_what_was_searched() {
        let page = Page::new("<b>", Section::Sessions).searching("\"><script>").render(&html! { h1 { "x" } });
        let page = page.into_string();
        assert_sound(&page);
        assert!(page.contains(r#"<a href="/sessions" aria-current="page">Sessions</a>"#), "{page}");
        assert_eq!(page.matches("aria-current").count(), 1);
        assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;\""), "{page}");
        assert!(page.contains("<title>&lt;b&gt; · llmtrace</title>"), "{page}");
    }
}
