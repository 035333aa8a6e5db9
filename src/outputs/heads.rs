//! The head for opentrack: the newest wins, whatever the other outputs do.

use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use facelens_core::Analysis;
use facelens_core::track::Face;

use super::datagrams::Datagrams;
use super::head::{Head, Offsets};
use super::lane::{Lane, Switch};
use super::lock;
use super::options::Follow;
use super::status::SharedStatus;

/// A face takes over from the one that is followed when it is larger by this factor: two people side by side would
/// otherwise have the head jump between them.
const LARGER: f32 = 1.3;

/// Whose head goes out, and from where it is counted. Stays when the address changes.
#[derive(Default)]
pub(super) struct Steering {
    pub(super) follow: Follow,
    /// The head in the next frame counts as straight ahead.
    pub(super) centre: bool,
    offsets: Offsets,
    /// The person whose head went out last.
    last: Option<u64>,
}

impl Steering {
    /// The face whose head goes out.
    fn choose<'a>(&mut self, faces: &'a [Face]) -> Option<&'a Face> {
        let face = match self.follow {
            Follow::Person(id) => faces.iter().find(|face| face.id == id),
            Follow::Largest => {
                let largest = faces.iter().max_by(|a, b| a.rect.area().total_cmp(&b.rect.area()))?;
                let followed = faces.iter().find(|face| Some(face.id) == self.last);
                followed.filter(|face| face.rect.area() * LARGER >= largest.rect.area()).or(Some(largest))
            }
        };
        self.last = face.map(|face| face.id).or(self.last);
        face
    }
}

/// What is needed of a frame; its pixels are not held.
struct HeadFaces {
    faces: Vec<Face>,
    /// Width and height of the picture, pixels.
    size: (u32, u32),
}

/// The way to opentrack.
pub(super) struct HeadLane(Lane<HeadFaces>);

impl HeadLane {
    /// Starts the thread that sends to `address`.
    ///
    /// # Errors
    /// The system gives no socket or no thread.
    pub(super) fn start(
        address: SocketAddr,
        steering: Arc<Mutex<Steering>>,
        status: Arc<SharedStatus>,
    ) -> io::Result<Self> {
        let datagrams = Datagrams::to(address)?;
        let send = move |faces: HeadFaces, switch: &Switch| {
            send(&faces, &datagrams, switch, &steering, &status);
            ControlFlow::Continue(())
        };
        Lane::start("heads", 1, send).map(Self)
    }

    /// Hands over a frame's faces, in the place of those that still wait.
    pub(super) fn offer(&self, analysis: &Analysis) {
        let size = (analysis.frame.width(), analysis.frame.height());
        self.0.offer(HeadFaces { faces: analysis.faces.clone(), size });
    }

    pub(super) fn close(self, deadline: std::time::Instant) {
        self.0.close(deadline);
    }
}

fn send(
    HeadFaces { faces, size }: &HeadFaces,
    to: &Datagrams,
    switch: &Switch,
    steering: &Mutex<Steering>,
    status: &SharedStatus,
) {
    let mut steering = lock(steering);
    // It is switched off under this lock: nothing of an old address is told after that.
    if !switch.is_on() {
        return;
    }
    let face = steering.choose(faces);
    status.change(|status| status.followed = face.map(|face| face.id));
    let Some(face) = face else { return };
    let head = Head::new(face.rect, face.pose, *size);
    if std::mem::take(&mut steering.centre) {
        steering.offsets.centre(head);
    }
    let head = steering.offsets.apply(head);
    let sent = to.send(&head.datagram());
    status.change(|status| match sent {
        Ok(sent) => {
            status.heads += u64::from(sent);
            status.head_error = None;
        }
        Err(error) => status.head_error = Some(error),
    });
}
