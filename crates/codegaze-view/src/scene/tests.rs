use super::*;
use crate::theme::Theme;

fn scene(items: Vec<Item>) -> Scene {
    Scene {
        width: 120.0,
        height: 120.0,
        background: Theme::Light.background(),
        description: String::new(),
        items,
    }
}

fn text(content: &str, turned: bool, anchor: Anchor) -> Item {
    Item::Text(Text {
        x: 60.0,
        y: 60.0,
        size: 20.0,
        fill: Rgb(0, 0, 0),
        anchor,
        turned,
        content: content.to_owned(),
    })
}

/// The bounds (left, top, right, bottom) of all pixels that are not white.
fn ink(scene: &Scene) -> Option<(usize, usize, usize, usize)> {
    let png = scene.to_png(96).unwrap();
    let mut reader = ::png::Decoder::new(std::io::Cursor::new(png))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    pixels
        .chunks_exact(3)
        .enumerate()
        .filter(|(_, pixel)| pixel.iter().any(|&c| c < 200))
        .map(|(at, _)| (at % 120, at / 120, at % 120 + 1, at / 120 + 1))
        .reduce(|a, b| (a.0.min(b.0), a.1.min(b.1), a.2.max(b.2), a.3.max(b.3)))
}

#[test]
fn text_is_at_its_anchor() {
    // Four characters of 12.04 pixels each; an E is 14.6 pixels high.
    let (left, top, right, bottom) = ink(&scene(vec![text("EEEE", false, Anchor::Start)])).unwrap();
    assert!(
        (60..=64).contains(&left) && (103..=108).contains(&right),
        "{left} {right}"
    );
    assert!(
        (44..=46).contains(&top) && (59..=61).contains(&bottom),
        "{top} {bottom}"
    );
    let (left, _, right, _) = ink(&scene(vec![text("EEEE", false, Anchor::End)])).unwrap();
    assert!(
        (12..=16).contains(&left) && (56..=60).contains(&right),
        "{left} {right}"
    );
    // Turned text reads upwards, with its baseline on the right.
    let (left, top, right, bottom) = ink(&scene(vec![text("EEEE", true, Anchor::Start)])).unwrap();
    assert!(
        (44..=46).contains(&left) && (59..=61).contains(&right),
        "{left} {right}"
    );
    assert!(
        (12..=17).contains(&top) && (56..=60).contains(&bottom),
        "{top} {bottom}"
    );
    let (_, top, _, bottom) = ink(&scene(vec![text("EEEE", true, Anchor::End)])).unwrap();
    assert!(
        (60..=65).contains(&top) && (103..=108).contains(&bottom),
        "{top} {bottom}"
    );
}

#[test]
fn a_missing_glyph_is_a_box_of_its_width() {
    for turned in [false, true] {
        let (left, top, right, bottom) =
            ink(&scene(vec![text("日", turned, Anchor::Start)])).unwrap();
        let along = if turned { bottom - top } else { right - left };
        assert!((21..=25).contains(&along), "{along}");
    }
    assert!(!Font::has('日') && Font::has('⏎') && Font::has('⇥'));
}

#[test]
fn items_outside_of_the_picture_are_clipped() {
    let far = |x, y| {
        Item::Rect(Rect {
            x,
            y,
            width: 1e9,
            height: 1e9,
            fill: Rgb(0, 0, 0),
        })
    };
    assert_eq!(ink(&scene(vec![far(200.0, 0.0), far(-2e9, 5.0)])), None);
    assert_eq!(
        ink(&scene(vec![far(100.0, 110.0)])),
        Some((100, 110, 120, 120))
    );
    let mut item = text("EEEEEEEEEEEEEEEEEEEEEEEE", false, Anchor::Middle);
    if let Item::Text(text) = &mut item {
        (text.x, text.y) = (-1e12, f32::NAN);
    }
    ink(&scene(vec![item]));
}

#[test]
fn rasters_shrink_by_the_mean() {
    let raster = Raster {
        x: 10.0,
        y: 10.0,
        width: 1.0,
        height: 1.0,
        cols: 2,
        cells: vec![Rgb(0, 0, 0), Rgb(100, 0, 0), Rgb(100, 0, 0), Rgb(200, 0, 0)],
    };
    let png = scene(vec![Item::Raster(raster)]).to_png(96).unwrap();
    let mut reader = ::png::Decoder::new(std::io::Cursor::new(png))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    let at = (10 * 120 + 10) * 3;
    assert_eq!(pixels[at..at + 3], [100, 0, 0]);
}
