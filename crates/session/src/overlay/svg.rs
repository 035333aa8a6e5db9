//! Writes a [`Scene`] as SVG 1.1, the picture behind it left out.

use std::fmt::Write as _;

use super::scene::{Color, Scene, Shape};
use super::text;

/// The font that texts are measured with, and what is like it where it is not installed.
const FONTS: &str = "Ubuntu, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif";

/// The scene as an SVG document of `width` x `height` pixels. Texts stay texts, set to the width that they have in a
/// painted picture, so that nothing overlaps where another font is used.
pub fn to_svg(scene: &Scene) -> String {
    let (width, height) = (scene.width, scene.height);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"{FONTS}\">\n"
    );
    for shape in &scene.shapes {
        push(&mut svg, shape);
    }
    svg.push_str("</svg>\n");
    svg
}

fn push(svg: &mut String, shape: &Shape) {
    // Writing to a string cannot fail.
    let _ = match shape {
        Shape::Line { from, to, width, color } => writeln!(
            svg,
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"{}/>",
            short(from.x),
            short(from.y),
            short(to.x),
            short(to.y),
            stroke(*width, *color)
        ),
        Shape::Polyline { points, width, color } => {
            let points: Vec<_> = points.iter().map(|point| format!("{},{}", short(point.x), short(point.y))).collect();
            writeln!(svg, "<polyline points=\"{}\" fill=\"none\"{}/>", points.join(" "), stroke(*width, *color))
        }
        Shape::Rect { rect, radius, fill, stroke: outline } => {
            let fill = fill.map_or_else(|| " fill=\"none\"".to_owned(), |color| paint("fill", color));
            let outline = outline.map_or_else(String::new, |(width, color)| stroke(width, color));
            let [x, y, width, height] = [rect.x, rect.y, rect.width, rect.height].map(short);
            let radius = if *radius > 0.0 { format!(" rx=\"{}\"", short(*radius)) } else { String::new() };
            writeln!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"{radius}{fill}{outline}/>")
        }
        Shape::Text { at, text, size, color } => {
            let mut width = 0.0;
            let ascent = text::layout(text, *size, |_, _, end| width = end).map_or(*size, |line| line.ascent);
            let [x, y, size, width] = [at.x, at.y + ascent, *size, width].map(short);
            let set = format!("x=\"{x}\" y=\"{y}\" font-size=\"{size}\" textLength=\"{width}\"");
            let set = format!("{set} lengthAdjust=\"spacingAndGlyphs\"{}", paint("fill", *color));
            writeln!(svg, "<text {set}>{}</text>", escaped(text))
        }
    };
}

fn stroke(width: f32, color: Color) -> String {
    let ends = " stroke-linecap=\"round\" stroke-linejoin=\"round\"";
    format!("{} stroke-width=\"{}\"{ends}", paint("stroke", color), short(width))
}

fn paint(what: &str, Color { r, g, b, a }: Color) -> String {
    let opacity = if a == 255 { String::new() } else { format!(" {what}-opacity=\"{}\"", short(f32::from(a) / 255.0)) };
    format!(" {what}=\"#{r:02x}{g:02x}{b:02x}\"{opacity}")
}

/// To a hundredth, without zeros behind.
fn short(value: f32) -> f32 {
    (value * 100.0).round() / 100.0
}

/// Text in XML: control characters, which XML does not allow, become blanks.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use facelens_core::geometry::{Point, Rect};

    use super::*;

    #[test]
    fn every_shape_is_written_and_texts_are_escaped() {
        let (red, at) = (Color::opaque(255, 0, 16), |x, y| Point { x, y });
        let shapes = vec![
            Shape::Rect { rect: Rect::new(1.0, 2.0, 3.5, 4.0), radius: 2.0, fill: Some(red), stroke: None },
            Shape::Rect { rect: Rect::default(), radius: 0.0, fill: None, stroke: Some((1.0, Color { a: 51, ..red })) },
            Shape::Line { from: at(0.0, 1.0), to: at(2.0, 3.0), width: 1.5, color: red },
            Shape::Polyline { points: vec![at(0.0, 0.0), at(1.0, 1.004)], width: 2.0, color: red },
            Shape::Text { at: at(5.0, 6.0), text: "a<b & \u{7}c".into(), size: 10.0, color: red },
        ];
        let svg = to_svg(&Scene { width: 20.0, height: 10.0, shapes });
        for part in [
            "viewBox=\"0 0 20 10\"",
            "<rect x=\"1\" y=\"2\" width=\"3.5\" height=\"4\" rx=\"2\" fill=\"#ff0010\"/>",
            "fill=\"none\" stroke=\"#ff0010\" stroke-opacity=\"0.2\" stroke-width=\"1\"",
            "<line x1=\"0\" y1=\"1\" x2=\"2\" y2=\"3\" stroke=\"#ff0010\" stroke-width=\"1.5\"",
            "points=\"0,0 1,1\"",
            ">a&lt;b &amp;  c</text>",
        ] {
            assert!(svg.contains(part), "{part} is missing in\n{svg}");
        }
        assert!(svg.ends_with("</svg>\n"));
    }

    #[test]
    fn a_text_stands_on_its_baseline_and_keeps_its_width() {
        let text =
            Shape::Text { at: Point { x: 5.0, y: 6.0 }, text: "age".into(), size: 20.0, color: Color::opaque(0, 0, 0) };
        let svg = to_svg(&Scene { width: 99.0, height: 99.0, shapes: vec![text] });
        let number = |name: &str| -> f32 {
            let (_, rest) = svg.split_once("<text ").unwrap().1.split_once(&format!("{name}=\"")).unwrap();
            rest.split_once('"').unwrap().0.parse().unwrap()
        };
        let size = text::TextSize::of("age", 20.0);
        assert!((number("textLength") - size.width).abs() < 0.01);
        let baseline = number("y") - 6.0;
        assert!(baseline > 0.6 * size.height && baseline < size.height, "{baseline} of {}", size.height);
    }
}
