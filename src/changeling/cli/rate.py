"""`changeling rate`: people look at the clips of a study and say what they see."""

import webbrowser
from dataclasses import dataclass
from pathlib import Path

import tyro

from changeling.cli.values import OptionalCount


@dataclass(frozen=True)
class Rate:
    """Serve a page on this machine on which somebody rates a study's clips blindly.

    Answers are kept in ratings.sqlite in the study's folder as they are given. Nothing leaves the
    machine.
    """

    study: tyro.conf.Positional[Path]
    """Folder of the study."""
    rater: str = "me"
    """Who rates; the same name goes on where it stopped."""
    port: OptionalCount = None
    """Port of the page (a free one without it)."""
    no_open: bool = False
    """Only print the page's address instead of opening it in the browser."""
    results: bool = False
    """Ask nobody: print what people thought and write it into the study's folder."""

    def run(self) -> int:
        """Rate, or print the results."""
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.study import rating_results

        if not self.results:
            return self._serve()
        from changeling.cli.opinions import print_opinions

        print_opinions(rating_results(self.study))
        print(f"Written: {self.study / 'ratings.csv'}, {self.study / 'ratings_results.json'}")
        return 0

    def _serve(self) -> int:
        from changeling.studio import RatingServer
        from changeling.study import Sitting

        sitting = Sitting(self.study, self.rater)
        with RatingServer(sitting, port=self.port or 0) as server:
            try:
                print(f"Rate at {server.url} (this machine only; Ctrl-C ends)", flush=True)
                if not self.no_open:
                    webbrowser.open(server.url)
                server.serve_forever()
            except KeyboardInterrupt:
                print()
        done, total = sitting.next_place(), len(sitting.exhibits)
        print(
            f"{done} of {total} clips are rated; `changeling rate {self.study} --results` shows "
            "what people thought."
        )
        return 0
